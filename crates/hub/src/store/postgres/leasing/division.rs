//! Who should send for what: the accounts are spread evenly over the nodes, and each is in one hand.

use std::collections::{BTreeMap, HashMap};

use switchboard_model::id::ConnectionId;

use crate::store::Claim;

/// What a node should do about its rights.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Division {
    /// Rights that are free, which it should take.
    pub take: Vec<ConnectionId>,
    /// Rights that it has, which it should give away when nothing is under way.
    pub surplus: Vec<ConnectionId>,
}

/// Connections to one account, oldest first, each with the node that has the right.
type Group = Vec<(ConnectionId, Option<i16>)>;

/// What the node `me` should do, when `holders` have rights and `others` are at work beside it.
///
/// An account belongs to the node that has the right for the oldest of its connections. Whoever has rights for others of them gives those away,
/// and nobody but that node takes them.
pub(super) fn divide(claims: &[Claim], holders: &HashMap<ConnectionId, i16>, (me, others): (i16, &[i16])) -> Division {
    let groups = groups(claims, holders);
    let mut division = Division::default();
    let (mut mine, mut free) = (Vec::new(), Vec::new());
    let mut theirs: BTreeMap<i16, usize> = others.iter().map(|node| (*node, 0)).collect();
    for group in &groups {
        match owner(group) {
            None => free.push(group),
            Some(node) if node == me => mine.push(group),
            Some(node) => {
                division.surplus.extend(of(group, Some(me)));
                theirs.entry(node).and_modify(|held| *held += 1);
            }
        }
    }
    let theirs: Vec<usize> = theirs.into_values().collect();
    let share = share(groups.len(), mine.len(), &theirs);
    // The newest go, which the least is known of.
    let (kept, over) = mine.split_at(mine.len() - share.surplus);
    let taken = free.iter().take(share.most.saturating_sub(mine.len()));
    let whole = kept.iter().chain(taken);
    division.take.extend(whole.flat_map(|group| of(group, None)));
    division
        .surplus
        .extend(over.iter().flat_map(|group| of(group, Some(me))));
    division
}

/// The connections by account, in the order of the oldest of each.
fn groups(claims: &[Claim], holders: &HashMap<ConnectionId, i16>) -> Vec<Group> {
    let mut claims = claims.to_vec();
    claims.sort_unstable_by_key(|claim| claim.connection);
    let mut places = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for Claim { connection, account } in claims {
        let new = groups.len();
        let place = account.map_or(new, |account| *places.entry(account).or_insert(new));
        if place == new {
            groups.push(Group::new());
        }
        groups[place].push((connection, holders.get(&connection).copied()));
    }
    groups
}

fn owner(group: &Group) -> Option<i16> {
    group.iter().find_map(|(_, holder)| *holder)
}

/// Those of a group that this node has, or nobody.
fn of(group: &Group, holder: Option<i16>) -> impl Iterator<Item = ConnectionId> {
    let theirs = group.iter().filter(move |(_, theirs)| *theirs == holder);
    theirs.map(|(connection, _)| *connection)
}

/// How many accounts a node may have, and how many it should give away.
#[derive(Debug, PartialEq, Eq)]
struct Share {
    /// Not more than this.
    most: usize,
    /// So many of them are to be given away.
    surplus: usize,
}

/// The share of a node that has `held` of all accounts among `others` (how many each other node at work has).
fn share(accounts: usize, held: usize, others: &[usize]) -> Share {
    let nodes = others.len() + 1;
    // A node with one less than the greatest share is not worth a move when the shares cannot be equal.
    let (least, most) = (accounts / nodes, accounts.div_ceil(nodes));
    let wanted: usize = others.iter().map(|theirs| least.saturating_sub(*theirs)).sum();
    let beyond_least = held.saturating_sub(least).min(wanted);
    Share {
        most,
        surplus: held.saturating_sub(most).max(beyond_least),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_node_gets_its_share_and_all_shares_cover_everything() {
        for (accounts, held, others, most, surplus) in [
            (5, 5, &[][..], 5, 0),
            (4, 4, &[0], 2, 2),
            (4, 2, &[2], 2, 0),
            (5, 2, &[3], 3, 0),
            (5, 3, &[2], 3, 0),
            (5, 3, &[1, 1], 2, 1),
            (5, 5, &[0], 3, 2),
            (4, 2, &[2, 0], 2, 1),
            (0, 0, &[0, 0], 0, 0),
            (1, 1, &[0, 0], 1, 0),
        ] {
            let expected = Share { most, surplus };
            assert_eq!(share(accounts, held, others), expected, "{accounts} {held} {others:?}");
        }
    }

    fn claims(accounts: &[u8]) -> Vec<Claim> {
        let each = (1..).zip(accounts);
        let claim = |(id, account): (i64, &u8)| Claim {
            connection: ConnectionId(id),
            // 0 is an account of its own.
            account: (*account > 0).then_some([*account; 32]),
        };
        each.map(claim).collect()
    }

    #[test]
    fn who_has_the_oldest_connection_of_an_account_gets_the_others() {
        let claims = claims(&[7, 0, 7, 7]);
        let holders = HashMap::from([(ConnectionId(3), 1), (ConnectionId(4), 0)]);
        let first = divide(&claims, &holders, (1, &[0]));
        assert_eq!(first.take, [ConnectionId(1)], "one account is its share");
        assert_eq!(first.surplus, []);
        let second = divide(&claims, &holders, (0, &[1]));
        assert_eq!(second.take, [ConnectionId(2)]);
        assert_eq!(second.surplus, [ConnectionId(4)]);
    }

    proptest! {
        /// Whoever has what in the beginning: when each node in turn does what it should, all rights are held soon, each account by one
        /// node, and no node has two accounts more than another one.
        #[test]
        fn the_nodes_agree(
            accounts in prop::collection::vec(0u8..6, 0..30),
            held in prop::collection::vec(prop::option::of(0i16..4), 30),
            nodes in 1i16..4,
        ) {
            let claims = claims(&accounts);
            let mut holders: HashMap<ConnectionId, i16> = claims
                .iter()
                .zip(held)
                .filter_map(|(claim, holder)| Some((claim.connection, holder.filter(|holder| *holder < nodes)?)))
                .collect();
            let all: Vec<i16> = (0..nodes).collect();
            for _ in 0..40 {
                for me in &all {
                    let others: Vec<i16> = all.iter().copied().filter(|node| node != me).collect();
                    let division = divide(&claims, &holders, (*me, &others));
                    for connection in division.surplus {
                        prop_assert_eq!(holders.remove(&connection), Some(*me));
                    }
                    for connection in division.take {
                        prop_assert_eq!(holders.insert(connection, *me), None);
                    }
                }
            }
            prop_assert_eq!(holders.len(), claims.len());
            let groups = groups(&claims, &holders);
            let mut counts = vec![0; all.len()];
            for group in &groups {
                let owner = owner(group).unwrap();
                prop_assert!(group.iter().all(|(_, holder)| *holder == Some(owner)));
                counts[usize::try_from(owner).unwrap()] += 1;
            }
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            prop_assert!(most - least <= 1, "{counts:?}");
        }
    }
}
