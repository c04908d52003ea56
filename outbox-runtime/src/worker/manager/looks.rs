//! When the manager looks around though the pulse tells of nothing.

/// Counts the ticks since it last looked around.
#[derive(Debug)]
pub(super) struct Looks {
    /// How many ticks a look is good for.
    good_for: u32,
    /// How many of them have passed; all, where the last look was good for none.
    passed: u32,
}

impl Looks {
    /// The first tick looks around.
    pub(super) fn good_for(ticks: u32) -> Self {
        Self { good_for: ticks, passed: ticks }
    }

    /// A tick has renewed the leases, or has failed to; returns whether it looks around. After a failure the
    /// next one does: who knows what has become of the leases meanwhile.
    pub(super) fn renewed(&mut self, succeeded: bool) -> bool {
        self.passed = if succeeded { self.passed.saturating_add(1) } else { self.good_for };
        succeeded && self.passed >= self.good_for
    }

    /// It has looked around. If it failed, or the worker has not its share, it does so again at the next
    /// tick: of shards that nobody has ever had the pulse says nothing.
    pub(super) fn looked(&mut self, has_share: bool) {
        self.passed = if has_share { 0 } else { self.good_for };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At which of the next six ticks it looks around, and finds that it has its share.
    fn next_looks(looks: &mut Looks) -> Vec<bool> {
        let tick = |_| {
            let looks_now = looks.renewed(true);
            if looks_now {
                looks.looked(true);
            }
            looks_now
        };
        (0..6).map(tick).collect()
    }

    #[test]
    fn the_first_tick_looks_and_then_every_third() {
        let mut looks = Looks::good_for(3);
        assert_eq!(next_looks(&mut looks), [true, false, false, true, false, false]);
    }

    #[test]
    fn whoever_has_not_its_share_looks_at_the_next_tick() {
        let mut looks = Looks::good_for(3);
        looks.looked(false);
        assert!(looks.renewed(true));
        looks.looked(false);
        assert_eq!(next_looks(&mut looks)[..2], [true, false]);
    }

    #[test]
    fn after_a_renewal_that_failed_the_next_tick_looks() {
        let mut looks = Looks::good_for(3);
        looks.looked(true);
        assert!(!looks.renewed(false), "there is no database to look at");
        assert_eq!(next_looks(&mut looks)[..2], [true, false]);
    }

    /// The pulse may make it look between two ticks.
    #[test]
    fn a_look_between_two_ticks_counts() {
        let mut looks = Looks::good_for(3);
        looks.looked(true);
        assert!(!looks.renewed(true));
        looks.looked(true);
        assert_eq!(next_looks(&mut looks)[..3], [false, false, true]);
    }
}
