//! One run with one hub at a time: killed, started again at once, and so on.

use std::time::Duration;

use switchboard_model::problem::Problem;
use tokio::sync::watch;

use super::{
    node::{ASK, Node, Site, broken, until},
    plan::{Kill, Plan},
    scene::{Killed, Report, Scene},
    sender::{Senders, Stage},
    vendors,
};

/// A moment that has not come within this does not come any more: there are too few writes.
const COMES_WITHIN: Duration = Duration::from_millis(2500);

/// Plays it.
///
/// # Errors
/// When something could not be started, or the API refused an event.
pub async fn play(plan: &Plan, site: &Site) -> Result<Report, Problem> {
    let scene = Scene::set(plan, site).await?;
    let (publish, stage) = watch::channel(Stage::default());
    let senders = Senders::new(plan, &scene.caller, stage, None);
    let ((node, kills), answers) = tokio::try_join!(kill_and_restart(&scene, &publish), senders.post_all())?;
    let address = node.address.as_deref().ok_or_else(|| broken("it is gone"))?;
    let unsettled = scene.settle(address).await;
    let report = scene.judge(address, kills, &answers, unsettled).await;
    drop(node);
    scene.vendors.shutdown().await;
    report
}

/// Starts the hub as often as there are kills, and once more.
async fn kill_and_restart(scene: &Scene<'_>, publish: &watch::Sender<Stage>) -> Result<(Node, Vec<Killed>), Problem> {
    let mut kills = Vec::new();
    for (generation, kill) in scene.plan.kills.iter().copied().enumerate() {
        let reached = die_once(scene, kill, generation as u32, publish).await?;
        kills.push(Killed { kill, reached });
    }
    let node = scene.site.start(None).await?;
    show(publish, kills.len() as u32, &node);
    Ok((node, kills))
}

fn show(publish: &watch::Sender<Stage>, generation: u32, node: &Node) {
    publish.send_replace(Stage {
        generation,
        addresses: node.address.clone().into_iter().collect(),
    });
}

/// Starts the hub and sees it die; whether that was at the moment which was planned.
async fn die_once(
    scene: &Scene<'_>,
    kill: Kill,
    generation: u32,
    publish: &watch::Sender<Stage>,
) -> Result<bool, Problem> {
    let armed = match kill {
        Kill::At { place, nth } => Some(format!("{place}:{nth}")),
        Kill::After { .. } | Kill::Unanswered { .. } => None,
    };
    let held_before = vendors::held(scene.plan, &scene.vendors);
    if let Kill::Unanswered { skip } = kill {
        vendors::hold_back(scene.plan, &scene.vendors, skip)?;
    }
    let mut node = scene.site.start(armed.as_deref()).await?;
    show(publish, generation, &node);
    let reached = match kill {
        Kill::At { .. } => node.ends_within(COMES_WITHIN).await?,
        Kill::After { ms } => {
            if node.ends_within(Duration::from_millis(ms)).await? {
                return Err(broken("it ended by itself"));
            }
            true
        }
        Kill::Unanswered { .. } => {
            let is_held = async || (vendors::held(scene.plan, &scene.vendors) > held_before).then_some(());
            until(ASK, COMES_WITHIN, is_held).await.is_some()
        }
    };
    node.kill()?;
    if matches!(kill, Kill::Unanswered { .. }) {
        vendors::let_go(scene.plan, &scene.vendors)?;
    }
    Ok(reached)
}
