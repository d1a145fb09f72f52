//! Random texts that are nearly YAML, the same on every run.

/// A small deterministic generator (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    /// A generator whose numbers depend on `seed` alone.
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0 if that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            0
        } else {
            (self.next() % bound as u64) as usize
        }
    }

    /// One of `choices`.
    pub(crate) fn pick<'c, T: ?Sized>(&mut self, choices: &[&'c T]) -> &'c T {
        choices[self.below(choices.len())]
    }
}

/// What means something in YAML, alone or together.
const SIGNIFICANT: &[&str] = &[
    "\n",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    " ",
    " ",
    "  ",
    "\t",
    ":",
    ": ",
    ":\n",
    "-",
    "- ",
    "-\n",
    "? ",
    "?",
    "#",
    " #",
    " # c\n",
    "# c\n",
    ",",
    ", ",
    "[",
    "]",
    "[]",
    "{",
    "}",
    "{}",
    "\"",
    "'",
    "\\",
    "|",
    ">",
    "|\n",
    ">\n",
    "|-\n",
    "|+\n",
    ">2\n",
    "&a ",
    "&a",
    "*a",
    "*a ",
    "!",
    "!!str ",
    "!t ",
    "!<t> ",
    "%",
    "%YAML 1.2\n",
    "---",
    "---\n",
    "--- ",
    "...",
    "...\n",
    "@",
    "`",
    "~",
    "a",
    "a: b\n",
    "- a\n",
    "a\n",
    "é",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\0",
    "1",
];

/// `text` with one to four random edits; `other` lends text to splices.
pub(crate) fn mutated(text: &str, other: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(4) {
        text = match random.below(9) {
            0 => deleted(&text, random),
            1..=3 => inserted(&text, random),
            4 => lines_swapped(&text, random),
            5 | 6 => indented(&text, random),
            7 => spliced(&text, other, random),
            _ => line_copied(&text, other, random),
        };
    }
    text
}

fn place(text: &str, random: &mut Random) -> usize {
    let mut at = random.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn deleted(text: &str, random: &mut Random) -> String {
    let start = place(text, random);
    let rest = &text[start..];
    let count = 1 + random.below(3);
    let end = rest
        .char_indices()
        .nth(count)
        .map_or(rest.len(), |(at, _)| at);
    format!("{}{}", &text[..start], &rest[end..])
}

fn inserted(text: &str, random: &mut Random) -> String {
    let at = place(text, random);
    format!("{}{}{}", &text[..at], random.pick(SIGNIFICANT), &text[at..])
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn lines_swapped(text: &str, random: &mut Random) -> String {
    let mut lines = lines(text);
    let (a, b) = (random.below(lines.len()), random.below(lines.len()));
    if a != b {
        lines.swap(a, b);
    }
    lines.concat()
}

/// One line, or all from one on, moved to the right or to the left.
fn indented(text: &str, random: &mut Random) -> String {
    let lines = lines(text);
    let first = random.below(lines.len());
    let last = if random.below(3) == 0 {
        lines.len()
    } else {
        first + 1
    };
    let width = 1 + random.below(3);
    let right = random.below(2) == 0;
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        if !(first..last).contains(&index) {
            out.push_str(line);
        } else if right {
            out.push_str(&" ".repeat(width));
            out.push_str(line);
        } else {
            let blanks = line
                .bytes()
                .take(width)
                .take_while(|&byte| byte == b' ')
                .count();
            out.push_str(&line[blanks..]);
        }
    }
    out
}

fn spliced(text: &str, other: &str, random: &mut Random) -> String {
    let (at, from) = (place(text, random), place(other, random));
    format!("{}{}", &text[..at], &other[from..])
}

fn line_copied(text: &str, other: &str, random: &mut Random) -> String {
    let other = lines(other);
    let copied = if other.is_empty() {
        ""
    } else {
        other[random.below(other.len())]
    };
    let mut lines = lines(text);
    lines.insert(random.below(lines.len() + 1), copied);
    lines.concat()
}
