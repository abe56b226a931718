use super::{Entry, Extract};
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

/// A handler's arguments, made one after the other: what stands later is not looked at before what stands earlier is
/// there.
///
/// Actix itself makes a handler's arguments at the same time, and answers with the first failure: there a malformed body
/// would be told to somebody whose token is still being checked.
pub(crate) struct InOrder<T>(pub(crate) T);

impl<T: Extract + 'static> FromRequest for InOrder<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move { T::extract(&request, &mut payload).await.map(Self) })
    }
}

impl Extract for () {
    async fn extract(_: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Ok(())
    }
}

/// Of what a handler takes, one at the most is somebody.
const fn strictest<const N: usize>(entries: [Entry; N]) -> Entry {
    let mut index = 0;
    while index < N {
        if !matches!(entries[index], Entry::Open) {
            return entries[index];
        }
        index += 1;
    }
    Entry::Open
}

macro_rules! in_order {
    ($($part:ident)+) => {
        impl<$($part: Extract),+> Extract for ($($part,)+) {
            const ENTRY: Entry = strictest([$($part::ENTRY),+]);

            async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
                Ok(($($part::extract(request, payload).await?,)+))
            }
        }
    };
}

in_order!(A);
in_order!(A B);
in_order!(A B C);
in_order!(A B C D);
in_order!(A B C D E);
in_order!(A B C D E F);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Kind;
    use actix_web::rt::task::yield_now;
    use actix_web::test::TestRequest;

    /// Fails after a while.
    struct Slow;

    /// Fails at once.
    struct Quick;

    impl Extract for Slow {
        async fn extract(_: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
            yield_now().await;
            Err(Problem::new(Kind::Unauthenticated, "slow"))
        }
    }

    impl Extract for Quick {
        async fn extract(_: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
            Err(Problem::new(Kind::Malformed, "quick"))
        }
    }

    #[actix_web::test]
    async fn the_first_failure_counts_however_long_it_takes() {
        let request = TestRequest::default().to_http_request();
        let made = InOrder::<(Slow, Quick)>::from_request(&request, &mut Payload::None).await;
        assert_eq!(made.err().map(|problem| problem.kind()), Some(Kind::Unauthenticated));
    }
}
