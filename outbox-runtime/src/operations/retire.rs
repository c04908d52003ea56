//! Retiring a consumer whose code is gone.

use super::Change;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Control;

const RETIRE: &str = "retire a consumer";

/// Its row and its ledgers stay, fenced: a worker that slept through it all still collides. If the
/// consumer comes back, it begins anew.
pub(crate) async fn retire<S: Control>(store: &S, consumer: &str) -> Result<u64> {
    let mut change = Change::begin(store, RETIRE, consumer).await?;
    let leases = store.live_leases(&mut change.tx, consumer).await?;
    if leases > 0 {
        let message = format!(
            "workers still run {leases} shards of `{consumer}`: deploy without it, or pause it, first"
        );
        return Err(Error::new(ErrorKind::InUse, RETIRE, message));
    }
    change.fences().await?;
    let deliveries = store.clear_consumer(&mut change.tx, consumer).await?;
    change.row.retired = true;
    change.row.paused = false;
    change.row.resharding = None;
    change.row.pace = None;
    change.commit().await?;
    Ok(deliveries)
}
