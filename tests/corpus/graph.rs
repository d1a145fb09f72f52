//! Merge bases of thousands of merges, from one reading of the history.

use std::collections::{BinaryHeap, HashMap};

use crate::git::Commit;

const OURS: u8 = 1;
const THEIRS: u8 = 2;
const STALE: u8 = 4;

/// The commit graph with generation numbers.
pub(crate) struct Graph {
    parents: Vec<Vec<usize>>,
    /// Longest way to a root. A commit's ancestors all have smaller numbers, so a walk in falling order has seen every
    /// descendant of what it pops, which makes the paint below final.
    generation: Vec<u32>,
    index: HashMap<String, usize>,
}

impl Graph {
    pub(crate) fn new(commits: &[Commit]) -> Self {
        let index: HashMap<String, usize> = commits
            .iter()
            .enumerate()
            .map(|(at, c)| (c.id.clone(), at))
            .collect();
        let parents: Vec<Vec<usize>> = commits
            .iter()
            .map(|c| {
                c.parents
                    .iter()
                    .filter_map(|p| index.get(p).copied())
                    .collect()
            })
            .collect();
        let generation = generations(&parents);
        Self {
            parents,
            generation,
            index,
        }
    }

    pub(crate) fn index(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// The merge base, if there is exactly one: criss-cross merges have no single base file to compare with.
    pub(crate) fn single_base(&self, ours: usize, theirs: usize) -> Option<usize> {
        let mut paint: HashMap<usize, u8> = HashMap::new();
        let mut queue = BinaryHeap::new();
        let mut live = 0usize; // queued commits that are not stale: without any, no base can follow
        let mut bases = Vec::new();
        for (commit, colour) in [(ours, OURS), (theirs, THEIRS)] {
            let entry = paint.entry(commit).or_insert(0);
            if *entry == 0 {
                queue.push((self.generation[commit], commit));
                live += 1;
            }
            *entry |= colour;
        }
        while live > 0 {
            let Some((_, commit)) = queue.pop() else {
                break;
            };
            let mut colour = paint.get(&commit).copied().unwrap_or(0);
            if colour & STALE == 0 {
                live -= 1;
            }
            if colour == OURS | THEIRS {
                bases.push(commit);
                colour |= STALE;
            }
            for &parent in &self.parents[commit] {
                let entry = paint.entry(parent).or_insert(0);
                if *entry == 0 {
                    queue.push((self.generation[parent], parent));
                    live += usize::from(colour & STALE == 0);
                } else if *entry & STALE == 0 && colour & STALE != 0 {
                    live -= 1;
                }
                *entry |= colour;
            }
        }
        match bases[..] {
            [base] => Some(base),
            _ => None,
        }
    }
}

/// Computed without recursion: histories are deeper than a stack.
fn generations(parents: &[Vec<usize>]) -> Vec<u32> {
    let mut generation = vec![0u32; parents.len()];
    let mut stack: Vec<usize> = (0..parents.len()).collect();
    while let Some(&commit) = stack.last() {
        if generation[commit] != 0 {
            stack.pop();
            continue;
        }
        let mut highest = 0;
        let mut ready = true;
        for &parent in &parents[commit] {
            if generation[parent] == 0 {
                stack.push(parent);
                ready = false;
            }
            highest = highest.max(generation[parent]);
        }
        if ready {
            generation[commit] = highest + 1;
            stack.pop();
        }
    }
    generation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(commits: &[(&str, &str)]) -> Graph {
        let commits: Vec<Commit> = commits
            .iter()
            .map(|(id, parents)| Commit {
                id: (*id).to_owned(),
                tree: String::new(),
                parents: parents.split_whitespace().map(str::to_owned).collect(),
            })
            .collect();
        Graph::new(&commits)
    }

    fn base(graph: &Graph, ours: &str, theirs: &str) -> Option<usize> {
        graph.single_base(graph.index(ours).unwrap(), graph.index(theirs).unwrap())
    }

    #[test]
    fn fork_has_its_fork_point() {
        let g = graph(&[("a", "r"), ("b", "r"), ("r", "q"), ("q", "")]);
        assert_eq!(base(&g, "a", "b"), g.index("r"));
    }

    #[test]
    fn ancestor_is_the_base() {
        let g = graph(&[("a", "r"), ("r", "q"), ("q", "")]);
        assert_eq!(base(&g, "a", "q"), g.index("q"));
    }

    #[test]
    fn criss_cross_has_none() {
        let g = graph(&[
            ("x", "a b"),
            ("y", "b a"),
            ("a", "r"),
            ("b", "r"),
            ("r", ""),
        ]);
        assert_eq!(base(&g, "x", "y"), None);
    }

    #[test]
    fn an_older_common_ancestor_beside_the_base_does_not_count() {
        // y reaches q both through r and directly.
        let g = graph(&[("x", "r"), ("y", "r q"), ("r", "s"), ("s", "q"), ("q", "")]);
        assert_eq!(base(&g, "x", "y"), g.index("r"));
    }

    #[test]
    fn unrelated_histories_have_none() {
        let g = graph(&[("x", ""), ("y", "")]);
        assert_eq!(base(&g, "x", "y"), None);
    }
}
