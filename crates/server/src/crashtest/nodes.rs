//! One run with several hubs on one database: one of them is killed during load and does not come back.

use std::time::Duration;

use futures::future::try_join_all;
use switchboard_hub::clock::{Clock, SystemClock};
use switchboard_model::problem::Problem;
use switchboard_simulator::Running;
use tokio::sync::watch;

use super::{
    node::{Node, Site, broken},
    plan::{Kill, Plan},
    scene::{Killed, Report, Scene},
    sender::{Senders, Stage},
    vendors,
};

/// Events of each sender; with [`PACE`] the load lasts long enough to see lanes resume.
pub const EVENTS: u32 = 240;
const PACE: Duration = Duration::from_millis(100);
/// The load is at work when a node is killed.
const KILL_AFTER_MS: u64 = 2_000;

/// Plays it.
///
/// # Errors
/// When something could not be started, or the API refused an event.
pub async fn play(plan: &Plan, site: &Site, nodes: u32) -> Result<Report, Problem> {
    let scene = Scene::set(plan, site).await?;
    let mut hubs = try_join_all((0..nodes).map(|_| site.start(None))).await?;
    let (publish, stage) = watch::channel(addresses(0, &hubs));
    let senders = Senders::new(plan, &scene.caller, stage, Some(PACE));
    let victim = usize::try_from(plan.seed % u64::from(nodes)).unwrap_or(0);
    let (killed_ms, answers) = tokio::try_join!(kill_one(&mut hubs, victim, &publish), senders.post_all())?;
    let loaded_ms = SystemClock.now_ms();
    let left = hubs.first().and_then(|node| node.address.clone());
    let address = left.ok_or_else(|| broken("no node is left"))?;
    let unsettled = scene.settle(&address).await;
    let kills = vec![Killed {
        kill: Kill::After { ms: KILL_AFTER_MS },
        reached: true,
    }];
    let mut report = scene.judge(&address, kills, &answers, unsettled).await?;
    report.resumed_ms = Some(longest_standstill(plan, &scene.vendors, killed_ms, loaded_ms));
    drop(hubs);
    scene.vendors.shutdown().await;
    Ok(report)
}

fn addresses(generation: u32, hubs: &[Node]) -> Stage {
    Stage {
        generation,
        addresses: hubs.iter().filter_map(|node| node.address.clone()).collect(),
    }
}

/// Kills one during load; when that was.
async fn kill_one(hubs: &mut Vec<Node>, victim: usize, publish: &watch::Sender<Stage>) -> Result<i64, Problem> {
    let mut node = hubs.swap_remove(victim);
    if node.ends_within(Duration::from_millis(KILL_AFTER_MS)).await? {
        return Err(broken("it ended by itself"));
    }
    node.kill()?;
    let killed_ms = SystemClock.now_ms();
    publish.send_replace(addresses(1, hubs));
    Ok(killed_ms)
}

/// The longest time without a call of one connection from `from_ms` to `until_ms`.
fn longest_standstill(plan: &Plan, running: &Running, from_ms: i64, until_ms: i64) -> u64 {
    let calls = running.calls(0, usize::MAX);
    let of = |connection: &str| {
        let is_its = |vendor: &str, path: &str| match vendor {
            "webhook" => path == format!("/{connection}"),
            vendor => vendor == connection,
        };
        let its = calls.iter().filter(|call| is_its(&call.vendor, &call.request.path));
        longest_gap(from_ms, until_ms, its.map(|call| call.request.now_ms))
    };
    vendors::connections(plan).into_iter().map(of).max().unwrap_or(0)
}

fn longest_gap(from_ms: i64, until_ms: i64, calls_ms: impl Iterator<Item = i64>) -> u64 {
    let mut moments: Vec<i64> = calls_ms.filter(|at| (from_ms..until_ms).contains(at)).collect();
    moments.extend([from_ms, until_ms]);
    moments.sort_unstable();
    let gaps = moments.windows(2).map(|pair| pair[1].abs_diff(pair[0]));
    gaps.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_is_counted_from_the_kill_to_the_end_of_the_load() {
        let gap = |calls: &[i64]| longest_gap(1_000, 2_000, calls.iter().copied());
        assert_eq!(gap(&[]), 1_000);
        assert_eq!(gap(&[500, 1_100, 1_050, 1_600, 1_900, 9_000]), 500);
        assert_eq!(gap(&[1_010, 1_020]), 980);
    }
}
