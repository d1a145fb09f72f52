//! Whether the other side answered all that it was asked.
//!
//! It answers in turn: when the answer to a question has come, all that it had to say to what it heard before has come, too.

/// What the other side was asked.
#[derive(Debug, Default)]
pub(super) struct Inquiries {
    asked: u64,
    answered: u64,
    open: Option<Inquiry>,
}

/// Somebody wants to know whether both know the same.
#[derive(Debug)]
struct Inquiry {
    /// The answer that tells.
    answer: u64,
    /// Whether edits came since.
    any_came: bool,
}

impl Inquiries {
    /// The next question is to tell whether both know the same.
    pub(super) fn begin(&mut self) {
        self.open = Some(Inquiry {
            answer: self.asked + 1,
            any_came: false,
        });
    }

    /// Whether that was not answered yet.
    pub(super) fn are_open(&self) -> bool {
        self.open.is_some()
    }

    /// A question was asked.
    pub(super) fn asked(&mut self) {
        self.asked += 1;
    }

    /// Edits came.
    pub(super) fn came(&mut self) {
        if let Some(inquiry) = &mut self.open {
            inquiry.any_came = true;
        }
    }

    /// A question was answered. Whether they are to be asked again, as edits came meanwhile.
    pub(super) fn answered(&mut self) -> bool {
        self.answered += 1;
        let answered = self.answered;
        let told = self.open.take_if(|inquiry| answered >= inquiry.answer);
        told.is_some_and(|inquiry| inquiry.any_came)
    }
}
