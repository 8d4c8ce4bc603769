//! Compares what each simulated vendor holds with what was accepted.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use switchboard_hub::{
    Hub,
    store::{DeliveryFilter, Page},
};
use switchboard_model::{delivery::DeliveryState, id::WorkspaceId, problem::Problem};

use super::{
    cast::{Cast, Part},
    stage::Vendors,
};
use crate::conformance::{
    sample::{Sample, markers_in},
    setup::broken,
};

/// So many deliveries are read at once.
const PAGE: usize = 500;

/// One object of one connector in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The connector's slug.
    pub connector: String,
    /// The object.
    pub object: String,
    /// So many records should be there.
    pub expected: u64,
    /// What the vendor holds of them.
    pub found: Found,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Why the first of them was.
    pub problem: Option<String>,
    /// Nothing was done to it that only a person can clear up.
    pub spared: bool,
}

/// What a vendor holds of the expected records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Records that carry one of the markers.
    pub stored: u64,
    /// Markers that no record carries.
    pub lost: u64,
    /// Records beside the one that each marker should have.
    pub duplicates: u64,
}

/// Deliveries of an object that were given up: how many, and why the newest was. By connection and object.
pub type GivenUp = HashMap<(String, String), (u64, String)>;

/// A line for each object.
///
/// # Errors
/// When a vendor has no such table.
pub fn count(cast: &Cast, vendors: &Vendors, events: u32, given_up: &GivenUp) -> Result<Vec<Line>, Problem> {
    let line = |part: &Part| {
        let rows = part.subject.stored(vendors.of(part.spared), &part.object);
        let rows =
            rows.map_err(|failure| broken(&format!("expected {}, found {}", failure.expected, failure.found)))?;
        let markers: HashSet<String> = (0..events)
            .filter(|number| part.takes(*number))
            .map(|number| Sample::new(number).marker())
            .collect();
        let dead = given_up.get(&(part.connection.clone(), part.object.clone()));
        Ok(Line {
            connector: part.subject.slug().to_owned(),
            object: part.object.clone(),
            expected: markers.len() as u64,
            found: compare(&markers, &rows),
            dead: dead.map_or(0, |(count, _)| *count),
            problem: dead.map(|(_, problem)| problem.clone()),
            spared: part.spared,
        })
    };
    cast.parts.iter().map(line).collect()
}

/// Compares rows with the markers that should each be in one of them. Rows with other markers are none of this object's business.
fn compare(markers: &HashSet<String>, rows: &[Value]) -> Found {
    let mut times: HashMap<String, u64> = HashMap::new();
    for row in rows {
        let text = row.to_string().to_lowercase();
        let carried: HashSet<&str> = markers_in(&text).into_iter().collect();
        for marker in carried.into_iter().filter(|marker| markers.contains(*marker)) {
            *times.entry(marker.to_owned()).or_default() += 1;
        }
    }
    let stored: u64 = times.values().sum();
    Found {
        stored,
        lost: (markers.len() - times.len()) as u64,
        duplicates: stored - times.len() as u64,
    }
}

/// What the hub gave up.
///
/// # Errors
/// When the store fails.
pub async fn given_up(hub: &Hub, workspace: WorkspaceId, cast: &Cast) -> Result<GivenUp, Problem> {
    let keys: HashMap<_, _> = hub
        .connections(workspace)
        .into_iter()
        .map(|connection| (connection.id, connection.key))
        .collect();
    let mut given_up = GivenUp::with_capacity(cast.parts.len());
    let mut before = None;
    loop {
        let filter = DeliveryFilter {
            state: Some(DeliveryState::Dead),
            ..DeliveryFilter::default()
        };
        let rows = hub.deliveries(workspace, filter, Page { before, limit: PAGE }).await?;
        for row in &rows {
            let connection = keys.get(&row.connection).cloned().unwrap_or_default();
            let entry = given_up.entry((connection, row.object.clone())).or_default();
            entry.0 += 1;
            if let Some(problem) = &row.problem {
                entry.1.clone_from(&problem.detail);
            }
        }
        match rows.last() {
            Some(last) if rows.len() == PAGE => before = Some(last.id.0),
            _ => return Ok(given_up),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_and_what_is_there_twice_is_counted_and_others_are_not() {
        let markers: HashSet<String> = (0..3).map(|number| Sample::new(number).marker()).collect();
        let row = |number: u32| json!({ "fields": Sample::new(number).data() });
        let found = |rows: &[Value]| {
            let Found {
                stored,
                lost,
                duplicates,
            } = compare(&markers, rows);
            (stored, lost, duplicates)
        };
        assert_eq!(found(&[row(0), row(1), row(2)]), (3, 0, 0));
        assert_eq!(found(&[row(0), row(2), row(7)]), (2, 1, 0));
        assert_eq!(found(&[row(0), row(1), row(1), row(2), row(2), row(2)]), (6, 0, 3));
        assert_eq!(found(&[json!({"email": "SB000001@EXAMPLE.ORG"})]), (1, 2, 0));
    }
}
