use super::FileService;
use crate::Failure;

/// How many files or objects one step takes.
const BITE: u32 = 100;

impl FileService {
    /// Removes files that nothing has used for too long, then the objects that nothing stands on any more. Gives how many
    /// objects were deleted.
    pub async fn tidy(&self) -> Result<u64, Failure> {
        loop {
            let at = self.clock.now();
            let files = self
                .files
                .collect_unused(at.minus(self.policy.keep_unused), at, BITE)
                .await?;
            if files < u64::from(BITE) {
                break;
            }
        }
        let mut deleted = 0;
        loop {
            let due = self.files.due_objects(self.clock.now(), BITE).await?;
            for object in &due {
                self.store.delete(object).await?;
            }
            self.files.forget_objects(&due).await?;
            deleted += due.len() as u64;
            if due.len() < BITE as usize {
                return Ok(deleted);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FILE_POLICY, NOW, World, assert_matches, object, passes_on, repository_errors, store_errors};
    use mockall::Sequence;
    use mockall::predicate::eq;
    use tertulia_domain::ObjectKey;

    /// A world in which the steps find so much to do.
    fn with(files: &[u64], objects: &[Vec<ObjectKey>]) -> World {
        let (mut world, mut order) = (World::default(), Sequence::new());
        for count in files.iter().copied() {
            let asked = world.files.expect_collect_unused();
            asked.with(eq(NOW.minus(FILE_POLICY.keep_unused)), eq(NOW), eq(BITE));
            asked.once().in_sequence(&mut order).returning(move |_, _, _| Ok(count));
        }
        for due in objects {
            let (given, expected) = (due.clone(), due.clone());
            let asked = world.files.expect_due_objects().with(eq(NOW), eq(BITE));
            asked.once().in_sequence(&mut order).return_once(|_, _| Ok(given));
            for object in due {
                let deleted = world.store.expect_delete().with(eq(object.clone()));
                deleted.once().in_sequence(&mut order).returning(|_| Ok(()));
            }
            let forgotten = world.files.expect_forget_objects();
            forgotten.withf(move |objects| objects == expected);
            forgotten.once().in_sequence(&mut order).returning(|_| Ok(()));
        }
        world
    }

    fn objects(numbers: std::ops::Range<u8>) -> Vec<ObjectKey> {
        numbers.map(object).collect()
    }

    #[tokio::test]
    async fn bites_until_nothing_is_left() {
        let nothing = with(&[0], &[vec![]]).services();
        assert_eq!(nothing.files.tidy().await.unwrap(), 0);
        let much = with(
            &[100, 100, 99],
            &[objects(0..100), objects(100..200), objects(200..202)],
        )
        .services();
        assert_eq!(much.files.tidy().await.unwrap(), 202);
        let exactly = with(&[100, 0], &[objects(0..100), vec![]]).services();
        assert_eq!(exactly.files.tidy().await.unwrap(), 100);
    }

    #[tokio::test]
    async fn what_was_not_deleted_is_not_forgotten() {
        passes_on(store_errors, async |cause| {
            let mut world = with(&[0], &[]);
            world.files.expect_due_objects().returning(|_, _| Ok(objects(1..3)));
            world
                .store
                .expect_delete()
                .with(eq(object(1)))
                .once()
                .returning(|_| Ok(()));
            let failing = world.store.expect_delete().with(eq(object(2))).once();
            failing.return_once(|_| Err(cause));
            world.files.expect_forget_objects().never();
            world.services().files.tidy().await
        })
        .await;
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.files.expect_collect_unused().return_once(|_, _, _| Err(cause));
            world.services().files.tidy().await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = with(&[0], &[]);
            world.files.expect_due_objects().return_once(|_, _| Err(cause));
            world.services().files.tidy().await
        })
        .await;
        let mut world = with(&[0], &[]);
        world.files.expect_due_objects().returning(|_, _| Ok(vec![]));
        let asked = world.files.expect_forget_objects();
        asked.return_once(|_| Err(repository_errors().remove(0)));
        assert_matches!(world.services().files.tidy().await, Err(Failure::Overloaded));
    }
}
