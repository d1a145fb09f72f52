//! Names: ids for new records, and what somebody may have meant who named something that is not there.

use super::super::kinds::DEFINING_FIELDS;
use super::super::records::member;
use super::Assignment;
use crate::crdt::Digest;
use crate::yaml::NodeRef;

/// How long a new id may be, in characters, without what tells it from another one.
const LENGTH: usize = 40;

/// How much of a name may be different in one that is taken for it.
const ALIKE: f64 = 0.75;

/// The id of a new record: what names it in small letters, else its first text. Where that is taken, a digest of the
/// whole record is added, so that two people who add different ones at once hardly ever choose the same, and a number
/// if even that is taken. Nothing where the fields have no letter or digit to offer.
pub(super) fn new_id(list: NodeRef<'_>, fields: &[Assignment]) -> Option<String> {
    let named = DEFINING_FIELDS.into_iter().find_map(|name| {
        let field = fields.iter().find(|field| field.path == name)?;
        field.value.text()
    });
    let text = named.or_else(|| fields.iter().find_map(|field| field.value.text()))?;
    let id = slug(&text);
    if id.is_empty() {
        return None;
    }
    let is_taken = |id: &str| member(list, id).is_some();
    if !is_taken(&id) {
        return Some(id);
    }
    let whole: Vec<String> = fields
        .iter()
        .map(|field| format!("{}={}", field.path, field.value.text().unwrap_or_default()))
        .collect();
    let id = format!("{id}-{}", Digest::of(whole.join("\n").as_bytes()));
    let numbered = (2_usize..).map(|number| format!("{id}-{number}"));
    std::iter::once(id.clone())
        .chain(numbered)
        .find(|id| !is_taken(id))
}

/// Letters and digits in small letters, with `-` for all that stands between them; cut between words where it is long.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let word = word.to_lowercase();
        let length = slug.chars().count() + word.chars().count() + usize::from(!slug.is_empty());
        if length > LENGTH {
            if slug.is_empty() {
                slug.extend(word.chars().take(LENGTH));
            }
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(&word);
    }
    slug
}

/// The name among `known` that is most like `name`, if one is alike at all.
pub(in crate::context) fn alike(name: &str, known: &[String]) -> Option<String> {
    let likeness = |known: &String| {
        let (a, b) = (name.to_lowercase(), known.to_lowercase());
        let begins = !a.is_empty() && (b.starts_with(&a) || a.starts_with(&b)) && !b.is_empty();
        let distance = strsim::normalized_damerau_levenshtein(&a, &b);
        if begins {
            distance.max(ALIKE)
        } else {
            distance
        }
    };
    known
        .iter()
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Document, Limits};

    fn id(list: &str, fields: &[&str]) -> Option<String> {
        let document = Document::from_text(list.to_owned(), &Limits::default()).unwrap();
        let fields: Vec<_> = fields.iter().map(|field| field.parse().unwrap()).collect();
        new_id(document.root().unwrap(), &fields)
    }

    #[test]
    fn ids_are_made_of_what_names_a_record() {
        let id = |fields: &[&str]| id("[]", fields).unwrap();
        assert_eq!(id(&["status=x", "title=Ship it!"]), "ship-it");
        assert_eq!(id(&["name=Größe & Länge"]), "größe-länge");
        assert_eq!(id(&["note=First thing", "status=x"]), "first-thing");
        assert_eq!(
            id(&["title=A rather long title that nobody would want to type whole"]),
            "a-rather-long-title-that-nobody-would"
        );
        assert_eq!(id(&["title=7"]), "7");
    }

    #[test]
    fn without_a_letter_there_is_no_id() {
        assert_eq!(id("[]", &["title=?!"]), None);
        assert_eq!(id("[]", &[]), None);
    }

    #[test]
    fn an_id_that_is_taken_gets_an_end_of_its_own() {
        let list = "[{id: ship-it}]";
        let first = id(list, &["title=Ship it", "priority=high"]).unwrap();
        let other = id(list, &["title=Ship it", "priority=low"]).unwrap();
        assert!(
            first.starts_with("ship-it-") && first.len() == 11,
            "{first}"
        );
        assert_ne!(first, other);
        let list = format!("[{{id: ship-it}}, {{id: {first}}}]");
        let third = id(&list, &["title=Ship it", "priority=high"]).unwrap();
        assert_eq!(third, format!("{first}-2"));
    }

    #[test]
    fn slips_are_forgiven_and_strangers_are_not() {
        let known = ["todos".to_owned(), "decisions".to_owned()];
        assert_eq!(alike("todo", &known).as_deref(), Some("todos"));
        assert_eq!(alike("Decsions", &known).as_deref(), Some("decisions"));
        assert_eq!(alike("weather", &known), None);
    }

    #[test]
    fn an_id_is_cut_where_a_word_and_its_dash_go_beyond_its_length() {
        let word = |length: usize| "x".repeat(length);
        let id = |first, second| id("[]", &[&format!("title={} {}", word(first), word(second))]);
        let both = format!("{}-{}", word(30), word(LENGTH - 31));
        assert_eq!(id(30, LENGTH - 31).as_deref(), Some(both.as_str()));
        assert_eq!(id(30, LENGTH - 30), Some(word(30)));
        // One word alone is cut within.
        assert_eq!(id(LENGTH + 1, 1), Some(word(LENGTH)));
    }
}
