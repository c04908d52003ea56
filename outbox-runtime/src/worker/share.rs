//! Fair shares: how many shards of each consumer a worker should have.
//!
//! Every worker reckons from the same two lists (the workers that live, and the consumers with their
//! shards), so all come to the same result without talking to one another: each consumer's shards
//! are divided evenly among the workers that know it, and what is left over goes to those with the
//! least so far. The shares of all workers add up to all shards that anybody knows, so no shard is
//! left alone and none is fought over; who has which shard is for the leases to say.

use std::collections::HashMap;

use uuid::Uuid;

use crate::store::{Fleet, Member};

/// How many shards of each consumer `me` should have. A worker that is not among the members, or is
/// about to leave, has none.
pub(super) fn shares(fleet: &Fleet, me: Uuid) -> HashMap<String, u32> {
    let mut members: Vec<&Member> = fleet.members.iter().collect();
    members.sort_unstable_by_key(|member| member.id);
    let mut consumers: Vec<&(String, u32)> = fleet.consumers.iter().collect();
    consumers.sort_unstable();
    let mut totals: HashMap<Uuid, u32> = HashMap::new();
    let mut mine = HashMap::new();
    for (consumer, shards) in consumers {
        let mut knowing: Vec<Uuid> =
            members.iter().filter(|member| member.knows(consumer)).map(|m| m.id).collect();
        let Ok(count @ 1..) = u32::try_from(knowing.len()) else { continue };
        // Stable, so that of equals the eldest comes first.
        knowing.sort_by_key(|id| totals.get(id).copied().unwrap_or(0));
        for (rank, id) in (0..).zip(knowing) {
            let share = shards / count + u32::from(rank < shards % count);
            *totals.entry(id).or_default() += share;
            if id == me {
                mine.insert(consumer.clone(), share);
            }
        }
    }
    mine
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u128, consumers: &[&str]) -> Member {
        let consumers = consumers.iter().map(|&name| name.to_owned()).collect();
        Member { id: Uuid::from_u128(id), consumers }
    }

    fn fleet(members: Vec<Member>, consumers: &[(&str, u32)]) -> Fleet {
        let consumers = consumers.iter().map(|&(name, shards)| (name.to_owned(), shards)).collect();
        Fleet { members, consumers }
    }

    fn share_of(fleet: &Fleet, id: u128, consumer: &str) -> u32 {
        shares(fleet, Uuid::from_u128(id)).get(consumer).copied().unwrap_or(0)
    }

    #[test]
    fn the_shards_of_a_consumer_are_divided_evenly() {
        let members = (1..=3).map(|id| member(id, &["a"])).collect();
        let fleet = fleet(members, &[("a", 8)]);
        assert_eq!([1, 2, 3].map(|id| share_of(&fleet, id, "a")), [3, 3, 2]);
    }

    #[test]
    fn consumers_of_one_shard_are_spread_over_the_workers() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let members = (1..=2).map(|id| member(id, &names)).collect();
        let fleet = fleet(members, &names.map(|name| (name, 1)));
        let total = |id| shares(&fleet, Uuid::from_u128(id)).values().sum::<u32>();
        assert_eq!([total(1), total(2)], [4, 3]);
    }

    #[test]
    fn a_worker_gets_nothing_that_it_does_not_know() {
        let fleet = fleet(vec![member(1, &["a"]), member(2, &["a", "b"])], &[("a", 4), ("b", 3)]);
        assert_eq!([share_of(&fleet, 1, "a"), share_of(&fleet, 1, "b")], [2, 0]);
        assert_eq!([share_of(&fleet, 2, "a"), share_of(&fleet, 2, "b")], [2, 3]);
        assert_eq!(share_of(&fleet, 3, "a"), 0);
    }

    #[test]
    fn no_shard_is_left_alone_and_none_is_shared_out_twice() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let names = ["a", "b", "c", "d", "e"];
            let consumers: Vec<_> = names.iter().map(|name| (*name, random.u32(0..20))).collect();
            let count = random.u128(1..9);
            let members: Vec<_> = (0..count)
                .map(|id| {
                    let known: Vec<_> = names.into_iter().filter(|_| random.u8(0..4) > 0).collect();
                    member(id, &known)
                })
                .collect();
            let fleet = fleet(members, &consumers);
            for (name, shards) in &consumers {
                let shares: Vec<u32> = fleet
                    .members
                    .iter()
                    .filter(|member| member.knows(name))
                    .map(|member| share_of(&fleet, member.id.as_u128(), name))
                    .collect();
                let expected = if shares.is_empty() { 0 } else { *shards };
                assert_eq!(shares.iter().sum::<u32>(), expected);
                let spread = shares.iter().max().zip(shares.iter().min());
                assert!(spread.is_none_or(|(most, least)| most - least <= 1), "{shares:?}");
            }
        }
    }
}
