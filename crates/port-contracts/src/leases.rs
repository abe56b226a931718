//! Who is connected to which node.

use crate::Backend;
use crate::fixture::*;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use tertulia_domain::{NodeId, UserId};

fn unlike(found: Vec<UserId>) -> BTreeSet<UserId> {
    let count = found.len();
    let found: BTreeSet<_> = found.into_iter().collect();
    assert_eq!(found.len(), count);
    found
}

async fn arrive(b: &Backend, node: NodeId, users: &[UserId], now: i64, until: i64) -> BTreeSet<UserId> {
    unlike(b.events.arrive(node, users.to_vec(), at(now), at(until)).await.unwrap())
}

async fn depart(b: &Backend, node: NodeId, users: &[UserId], now: i64) -> BTreeSet<UserId> {
    unlike(b.events.depart(node, users.to_vec(), at(now)).await.unwrap())
}

async fn expire(b: &Backend, now: i64) -> BTreeSet<UserId> {
    unlike(b.events.expire_leases(at(now)).await.unwrap())
}

async fn users(b: &Backend) -> [UserId; 3] {
    b.people(["ana", "luis", "eva"]).await.map(|person| person.id)
}

pub async fn who_was_connected_nowhere_arrives(b: Backend) {
    let [ana, luis, eva] = users(&b).await;
    let [one, other] = [node_id(), node_id()];
    assert_eq!(arrive(&b, one, &[ana, luis], 0, 100).await, [ana, luis].into());
    assert_eq!(arrive(&b, one, &[ana], 1, 100).await, [].into(), "twice at one node");
    assert_eq!(arrive(&b, other, &[luis, eva], 1, 100).await, [eva].into(), "at a second node");
    assert_eq!(arrive(&b, one, &[], 1, 100).await, [].into());
}

pub async fn who_is_connected_nowhere_has_departed(b: Backend) {
    let [ana, luis, eva] = users(&b).await;
    let [one, other] = [node_id(), node_id()];
    arrive(&b, one, &[ana, luis, eva], 0, 100).await;
    arrive(&b, other, &[luis, eva], 0, 100).await;
    assert_eq!(depart(&b, one, &[ana, luis], 1).await, [ana].into());
    assert_eq!(depart(&b, one, &[], 1).await, [].into());
    assert_eq!(depart(&b, other, &[luis, eva], 1).await, [luis].into());
    assert_eq!(depart(&b, one, &[eva], 1).await, [eva].into());
    assert_eq!(arrive(&b, other, &[ana, luis, eva], 2, 100).await, [ana, luis, eva].into(), "and may come back");
    assert_eq!(expire(&b, 99).await, [].into());
}

pub async fn a_lease_that_has_run_out_does_not_count(b: Backend) {
    let [ana, luis, _] = users(&b).await;
    let [dead, living] = [node_id(), node_id()];
    arrive(&b, dead, &[ana, luis], 0, 100).await;
    arrive(&b, living, &[luis], 0, 200).await;
    assert_eq!(depart(&b, living, &[luis], 99).await, [].into());
    arrive(&b, living, &[luis], 99, 200).await;
    assert_eq!(depart(&b, living, &[luis], 100).await, [luis].into());
    assert_eq!(arrive(&b, living, &[ana], 99, 200).await, [].into());
    assert_eq!(depart(&b, living, &[ana], 99).await, [].into());
    assert_eq!(arrive(&b, living, &[ana], 100, 200).await, [ana].into());
}

pub async fn leases_of_dead_nodes_are_removed(b: Backend) {
    let [ana, luis, eva] = users(&b).await;
    let [dead, living] = [node_id(), node_id()];
    arrive(&b, dead, &[ana, luis], 0, 100).await;
    arrive(&b, living, &[luis, eva], 0, 100).await;
    assert_eq!(expire(&b, 99).await, [].into());
    b.events.renew_leases(living, at(200)).await.unwrap();
    assert_eq!(expire(&b, 100).await, [ana].into(), "the other is connected elsewhere");
    assert_eq!(expire(&b, 100).await, [].into(), "told once");
    // What is gone is not prolonged.
    b.events.renew_leases(dead, at(500)).await.unwrap();
    assert_eq!(arrive(&b, living, &[ana], 150, 200).await, [ana].into());
    assert_eq!(expire(&b, 200).await, [ana, luis, eva].into());
    b.events.renew_leases(node_id(), at(500)).await.unwrap();
    assert_eq!(expire(&b, LIFE).await, [].into());
}

pub async fn who_is_left_on_two_dead_nodes_is_told_once(b: Backend) {
    let [ana, luis, _] = users(&b).await;
    for node in [node_id(), node_id()] {
        arrive(&b, node, &[ana, luis], 0, 100).await;
    }
    let told = join_all((0..8).map(|_| b.events.expire_leases(at(100)))).await;
    let told: Vec<UserId> = told.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(told.len(), 2, "each to one caller");
    assert_eq!(unlike(told), [ana, luis].into());
}

pub async fn who_arrives_many_times_at_once_arrives_once(b: Backend) {
    let [ana, luis, eva] = users(&b).await;
    let nodes: Vec<_> = (0..8).map(|_| node_id()).collect();
    let arrived = nodes.iter().enumerate().map(|(n, node)| {
        let users = if n % 2 == 0 { vec![ana, luis, eva] } else { vec![eva, luis, ana] };
        b.events.arrive(*node, users, at(0), at(100))
    });
    let arrived: Vec<UserId> = join_all(arrived).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!((arrived.len(), unlike(arrived)), (3, [ana, luis, eva].into()));
    let departed = nodes.iter().enumerate().map(|(n, node)| {
        let users = if n % 2 == 0 { vec![ana, luis, eva] } else { vec![eva, luis, ana] };
        b.events.depart(*node, users, at(1))
    });
    let departed: Vec<UserId> = join_all(departed).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!((departed.len(), unlike(departed)), (3, [ana, luis, eva].into()));
}
