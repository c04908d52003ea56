//! A worker that has nothing to do: what it costs that it renews its leases.

use std::time::Duration;

use anyhow::Result;

use crate::costs::Costs;
use crate::stage::Stage;
use crate::{COUNTING, TRIES, Ten};

/// A renewal of all leases of a worker, whose connection is asked first; a third of looking around, in two
/// statements; and here, where it is as frequent as renewals, a probe. Now and then there is a look at what is
/// due. (With a probe each second, one such look in five and three renewals in fifteen, that makes less than two
/// statements a second.)
const RENEWAL: Costs = Costs { statements: 4.3, transaction_ids: 1.1, ..Costs::MOST };

const FEW: u64 = 15;
const MANY: u64 = 45;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_of_leases_keeps_within_the_budget_postgres() -> Result<()> {
    let _counting = COUNTING.lock().await;
    let stage = Stage::start().await;
    let database = stage.database::<Ten>("idle").await?;
    // Long enough for a machine that stands still not to miss one, and to be shared out anew.
    let lease = Duration::from_millis(600);
    let mut renewal = Costs::MOST;
    let mut over = Vec::new();
    for _ in 0..TRIES {
        let renewed = database.renews(MANY, lease).await? - database.renews(FEW, lease).await?;
        renewal = renewal.or_less(&(renewed / (MANY - FEW) as f64));
        println!("a renewal: {renewal}");
        over = renewal.over("a renewal", &RENEWAL);
        if over.is_empty() {
            break;
        }
    }
    assert!(over.is_empty(), "dearer than the budget allows:\n{}", over.join("\n"));
    Ok(())
}
