use crate::Backend;
use crate::fixture::*;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use tertulia_domain::Digest;
use tertulia_domain::repository::ThumbnailJob;

async fn take(b: &Backend, now: i64, until: i64) -> Option<ThumbnailJob> {
    b.files.take_thumbnail_job(at(now), at(until)).await.unwrap()
}

pub async fn an_image_is_a_job_and_nothing_else_is(b: Backend) {
    let ana = b.person("ana").await;
    assert_eq!(take(&b, 0, 10).await, None);
    b.file(ana, 1).await;
    assert_eq!(take(&b, 0, 10).await, None);
    let image = new_image(ana, 2);
    b.upload(image.clone()).await;
    assert_eq!(take(&b, 1, 10).await, Some(ThumbnailJob { digest: image.digest, object: image.object }));
}

pub async fn a_job_is_given_out_three_times(b: Backend) {
    let ana = b.person("ana").await;
    b.image(ana, 2).await;
    assert!(take(&b, 1, 10).await.is_some());
    assert_eq!(take(&b, 9, 20).await, None, "it is somebody's until then");
    assert!(take(&b, 10, 20).await.is_some());
    assert_eq!(take(&b, 19, 30).await, None);
    assert!(take(&b, 25, 30).await.is_some());
    assert_eq!(take(&b, 30, 40).await, None, "enough");
    assert_eq!(take(&b, LIFE, LIFE + 1).await, None);
}

pub async fn of_many_workers_each_gets_another_job(b: Backend) {
    let ana = b.person("ana").await;
    for n in 0..5 {
        b.image(ana, n).await;
    }
    let jobs = join_all((0..8).map(|_| take(&b, 1, 10))).await;
    let digests: Vec<_> = jobs.into_iter().flatten().map(|job| job.digest.0).collect();
    assert_eq!(digests.iter().collect::<BTreeSet<_>>().len(), digests.len(), "no two the same");
    let mut rest = Vec::new();
    while let Some(job) = take(&b, 1, 10).await {
        rest.push(job.digest.0);
    }
    assert_eq!(digests.iter().chain(&rest).collect::<BTreeSet<_>>().len(), 5);
    assert_eq!(digests.len() + rest.len(), 5);
}

pub async fn a_finished_thumbnail_is_the_images(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let [file, other] = [b.image(ana, 2).await, b.image(ana, 4).await];
    while let Some(job) = take(&b, 1, 10).await {
        let thumbnail = object();
        b.files.announce(&thumbnail, at(100)).await.unwrap();
        if job.digest == Digest([2; 32]) {
            b.files.finish_thumbnail(job.digest, Some(thumbnail.clone()), at(2)).await.unwrap();
            assert_eq!(b.standing(file, ana).await.unwrap().0.thumbnail, Some(thumbnail.clone()));
            assert!(!b.due(at(LIFE)).await.contains(&thumbnail));
        }
    }
    assert_eq!(b.standing(other, ana).await.unwrap().0.thumbnail, None);
    // Who uploads the same has a thumbnail at once, and makes no work.
    let same = b.image(luis, 2).await;
    let first = b.standing(file, ana).await.unwrap().0;
    assert_eq!(b.standing(same, luis).await.unwrap().0.thumbnail, first.thumbnail);
    assert_eq!(take(&b, 20, 30).await.unwrap().digest, Digest([4; 32]));
    assert_eq!(take(&b, 20, 30).await, None);
}

pub async fn an_image_that_can_have_no_thumbnail_is_left_alone(b: Backend) {
    let ana = b.person("ana").await;
    let file = b.image(ana, 2).await;
    let job = take(&b, 1, 10).await.unwrap();
    b.files.finish_thumbnail(job.digest, None, at(2)).await.unwrap();
    assert_eq!(take(&b, LIFE, LIFE + 1).await, None);
    assert_eq!(b.standing(file, ana).await.unwrap().0.thumbnail, None);
}

pub async fn a_thumbnail_goes_with_its_image(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let file = b.image(ana, 2).await;
    let image = b.object_of(file).await;
    let job = take(&b, 1, 10).await.unwrap();
    let thumbnail = object();
    b.files.announce(&thumbnail, at(100)).await.unwrap();
    b.files.finish_thumbnail(job.digest, Some(thumbnail.clone()), at(2)).await.unwrap();
    let message = b.attach(chat, ana, &[file], at(3)).await.unwrap();
    b.messages.delete(chat, message.id, at(4)).await.unwrap();
    assert_eq!(b.due(at(4)).await, [image, thumbnail].into());
    assert_eq!(take(&b, LIFE, LIFE + 1).await, None);
}

pub async fn a_thumbnail_that_comes_too_late_is_left_over(b: Backend) {
    let ana = b.person("ana").await;
    b.image(ana, 2).await;
    let gone = take(&b, 1, 10).await.unwrap();
    assert_eq!(b.files.collect_unused(at(1), at(2), 10).await.unwrap(), 1);
    let late = object();
    b.files.announce(&late, at(100)).await.unwrap();
    b.files.finish_thumbnail(gone.digest, Some(late.clone()), at(5)).await.unwrap();
    assert_eq!(b.due(at(5)).await, [gone.object, late].into());

    // One that may be deleted already.
    let file = b.image(ana, 6).await;
    let job = take(&b, 6, 7).await.unwrap();
    let due = object();
    b.files.announce(&due, at(7)).await.unwrap();
    b.files.finish_thumbnail(job.digest, Some(due.clone()), at(7)).await.unwrap();
    assert_eq!(b.standing(file, ana).await.unwrap().0.thumbnail, None);
    assert!(b.due(at(7)).await.contains(&due));
    b.files.finish_thumbnail(job.digest, None, at(8)).await.unwrap();

    // A second one where there is one already.
    let file = b.image(ana, 4).await;
    let job = take(&b, 11, 12).await.unwrap();
    assert_eq!(take(&b, 12, 13).await.as_ref(), Some(&job));
    let [first, second] = [object(), object()];
    for (thumbnail, now) in [(&first, 14), (&second, 15)] {
        b.files.announce(thumbnail, at(100)).await.unwrap();
        b.files.finish_thumbnail(job.digest, Some(thumbnail.clone()), at(now)).await.unwrap();
    }
    assert_eq!(b.standing(file, ana).await.unwrap().0.thumbnail.as_ref(), Some(&first));
    let due = b.due(at(15)).await;
    assert!(due.contains(&second) && !due.contains(&first));
    assert!(!b.due(at(LIFE)).await.contains(&first));
}
