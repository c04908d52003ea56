//! What is above what. A handler and a consumer have one event each, so an event with its own stands in
//! a block, and within a frame nothing crosses. What belongs to an event of another frame is pulled
//! towards it: to the end of the frame that is nearer, in the order of the events (the barycenters of
//! Sugiyama, Tagawa and Toda, 1981).

use std::collections::BTreeMap;

use crate::graph::{Graph, Kind};

/// How often the barycenters are taken; more changes nothing in pictures that fit on a page.
const SWEEPS: usize = 4;

/// Nodes that stand side by side: an event with its handlers and consumers, or those of an event that
/// stands elsewhere.
#[derive(Default)]
pub(super) struct Block {
    pub(super) registry: usize,
    pub(super) handlers: Vec<usize>,
    pub(super) event: Option<usize>,
    pub(super) consumers: Vec<usize>,
    /// The blocks of other registries that edges lead to.
    elsewhere: Vec<usize>,
}

/// The blocks of all registries, from top to bottom.
pub(super) fn blocks(graph: &Graph) -> Vec<Block> {
    let blocks = unordered(graph);
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|index| (blocks[*index].registry, *index));
    for _ in 0..SWEEPS {
        let mut place = vec![0; blocks.len()];
        order.iter().enumerate().for_each(|(at, index)| place[*index] = at);
        order.sort_by(|a, b| {
            let key = |index: usize| (pull(&blocks, index), barycenter(&blocks[index], &place));
            let ((pull_a, at_a), (pull_b, at_b)) = (key(*a), key(*b));
            let by_registry = blocks[*a].registry.cmp(&blocks[*b].registry);
            by_registry.then(pull_a.cmp(&pull_b)).then(at_a.total_cmp(&at_b)).then(a.cmp(b))
        });
    }
    let mut blocks: Vec<Option<Block>> = blocks.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| blocks[index].take()).collect()
}

fn unordered(graph: &Graph) -> Vec<Block> {
    let mut blocks = Vec::<Block>::new();
    // By registry and event.
    let mut found = BTreeMap::<(usize, usize), usize>::new();
    let mut block_of = |blocks: &mut Vec<Block>, registry: usize, event: usize| {
        *found.entry((registry, event)).or_insert_with(|| {
            blocks.push(Block { registry, ..Block::default() });
            blocks.len() - 1
        })
    };
    for (index, node) in graph.nodes.iter().enumerate() {
        if node.kind == Kind::Event {
            let block = block_of(&mut blocks, node.registry, index);
            blocks[block].event = Some(index);
        }
    }
    for edge in &graph.edges {
        let (member, event) = match graph.nodes[edge.from].kind {
            Kind::Event => (edge.to, edge.from),
            _ => (edge.from, edge.to),
        };
        let registry = graph.nodes[member].registry;
        let block = block_of(&mut blocks, registry, event);
        match graph.nodes[member].kind {
            Kind::Handler => blocks[block].handlers.push(member),
            _ => blocks[block].consumers.push(member),
        }
        if registry != graph.nodes[event].registry {
            let home = block_of(&mut blocks, graph.nodes[event].registry, event);
            blocks[block].elsewhere.push(home);
            blocks[home].elsewhere.push(block);
        }
    }
    blocks
}

/// Whether what it belongs to is above (-1) or below (1).
fn pull(blocks: &[Block], index: usize) -> i64 {
    let own = blocks[index].registry as i64;
    let others = blocks[index].elsewhere.iter().map(|other| blocks[*other].registry as i64 - own);
    others.sum::<i64>().signum()
}

/// The mean place of what it belongs to; the same for all that belong to nothing elsewhere.
fn barycenter(block: &Block, place: &[usize]) -> f64 {
    let places: Vec<f64> = block.elsewhere.iter().map(|other| place[*other] as f64).collect();
    if places.is_empty() { 0.0 } else { places.iter().sum::<f64>() / places.len() as f64 }
}
