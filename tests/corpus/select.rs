//! Which of a repository's many candidates make a varied sample.

use std::collections::HashMap;

/// Picks at most `limit` of the candidates, which stand in order of time and are given by their path.
///
/// Each path gives one candidate, then each a second one, and so on; inside a path the order jumps through its history
/// (first, middle, quarters, …). The round that no longer fits is thinned evenly. The picks come back in order of time.
pub(crate) fn spread(paths: &[&str], limit: usize) -> Vec<usize> {
    let mut by_path: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, path) in paths.iter().enumerate() {
        by_path.entry(path).or_default().push(at);
    }
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for candidates in by_path.values() {
        for (round, position) in jumping(candidates.len()).into_iter().enumerate() {
            if rounds.len() <= round {
                rounds.resize_with(round + 1, Vec::new);
            }
            rounds[round].push(candidates[position]);
        }
    }
    let mut picks = Vec::new();
    for mut round in rounds {
        round.sort_unstable();
        let room = limit - picks.len();
        if round.len() <= room {
            picks.append(&mut round);
        } else {
            picks.extend((0..room).map(|k| round[k * round.len() / room]));
            break;
        }
    }
    picks.sort_unstable();
    picks
}

/// The numbers below `length` in an order whose every prefix is spread over the range.
fn jumping(length: usize) -> Vec<usize> {
    let bits = usize::BITS - length.saturating_sub(1).leading_zeros();
    if bits == 0 {
        return (0..length).collect();
    }
    (0..1usize << bits)
        .map(|k| k.reverse_bits() >> (usize::BITS - bits))
        .filter(|k| *k < length)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_comes_before_any_comes_twice() {
        let paths = ["a", "a", "a", "a", "b", "a", "c"];
        assert_eq!(spread(&paths, 3), [0, 4, 6]);
        assert_eq!(spread(&paths, 4).len(), 4);
        assert_eq!(spread(&paths, 100).len(), 7);
    }

    #[test]
    fn a_round_that_does_not_fit_is_thinned_evenly() {
        let names: Vec<String> = (0..100).map(|k| format!("p{k}")).collect();
        let paths: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(spread(&paths, 4), [0, 25, 50, 75]);
    }

    #[test]
    fn jumping_is_a_permutation() {
        for length in 0..40 {
            let mut order = jumping(length);
            order.sort_unstable();
            assert_eq!(order, (0..length).collect::<Vec<_>>());
        }
        assert_eq!(jumping(4), [0, 2, 1, 3]);
    }
}
