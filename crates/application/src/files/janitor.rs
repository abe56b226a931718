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
