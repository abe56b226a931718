//! One path and what can be done there: the one way in which routes come into the app.

use crate::extract::{Entry, Extract, InOrder};
use crate::middleware::{Matched, catch_panics, count};
use crate::problem::{Kind, Problem};
use crate::traffic::AddressClass;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::from_fn;
use actix_web::{Handler, HttpResponse, Responder, Route, guard, web};

/// A path with a handler for each of its methods. Every other method is answered by 405 with `Allow`.
pub(crate) struct Endpoint {
    path: &'static str,
    routes: Vec<(Method, Entry, Route)>,
    class: AddressClass,
    posts: Option<AddressClass>,
}

impl Endpoint {
    /// The path below the prefix that it will be registered under, with `{name}` for variable segments.
    pub(crate) fn new(path: &'static str) -> Self {
        Self {
            path,
            routes: Vec::new(),
            class: AddressClass::Any,
            posts: None,
        }
    }

    /// How its requests are counted by address.
    pub(crate) fn counted_as(self, class: AddressClass) -> Self {
        Self { class, ..self }
    }

    /// How its POSTs are counted by address, if not as the others.
    pub(crate) fn posts_counted_as(self, class: AddressClass) -> Self {
        Self {
            posts: Some(class),
            ..self
        }
    }

    /// Answers GET, and HEAD with the same head.
    pub(crate) fn get<H: Handler<A>, A: Extract + 'static>(self, handler: H) -> Self
    where
        H::Output: Responder + 'static,
    {
        let reads = guard::Any(guard::Get()).or(guard::Head());
        self.add(Method::GET, web::route().guard(reads), handler)
    }

    /// Answers POST.
    pub(crate) fn post<H: Handler<A>, A: Extract + 'static>(self, handler: H) -> Self
    where
        H::Output: Responder + 'static,
    {
        self.add(Method::POST, web::post(), handler)
    }

    /// Answers PUT.
    pub(crate) fn put<H: Handler<A>, A: Extract + 'static>(self, handler: H) -> Self
    where
        H::Output: Responder + 'static,
    {
        self.add(Method::PUT, web::put(), handler)
    }

    /// Answers PATCH.
    pub(crate) fn patch<H: Handler<A>, A: Extract + 'static>(self, handler: H) -> Self
    where
        H::Output: Responder + 'static,
    {
        self.add(Method::PATCH, web::patch(), handler)
    }

    /// Answers DELETE.
    pub(crate) fn delete<H: Handler<A>, A: Extract + 'static>(self, handler: H) -> Self
    where
        H::Output: Responder + 'static,
    {
        self.add(Method::DELETE, web::delete(), handler)
    }

    fn add<H: Handler<A>, A: Extract + 'static>(mut self, method: Method, route: Route, handler: H) -> Self
    where
        H::Output: Responder + 'static,
    {
        let route = route.to(move |InOrder(arguments): InOrder<A>| handler.call(arguments));
        self.routes.push((method, A::ENTRY, route));
        self
    }

    /// Puts the endpoint into a scope. In metrics its path is told below `prefix`.
    pub(crate) fn register(self, prefix: &str, config: &mut web::ServiceConfig) {
        let allow = self.allow();
        let refuse = web::route().to(move || {
            let problem = Problem::new(
                Kind::MethodNotAllowed,
                "This path does not have this method; see Allow.",
            );
            let problem = problem.allowing(allow.clone());
            async { Err::<HttpResponse, _>(problem) }
        });
        let resource = web::resource(self.path)
            .app_data(Matched::new(format!("{prefix}{}", self.path)))
            .default_service(refuse);
        let routes = self.routes.into_iter().map(|(.., route)| route);
        let resource = routes.fold(resource, actix_web::Resource::route);
        let (class, posts) = (self.class, self.posts.unwrap_or(self.class));
        config.service(
            resource
                .wrap(from_fn(move |request: ServiceRequest, next| {
                    let post = *request.method() == Method::POST;
                    count(if post { posts } else { class }, request, next)
                }))
                .wrap(from_fn(catch_panics)),
        );
    }

    /// The methods, as the header lists them.
    fn allow(&self) -> HeaderValue {
        let methods: Vec<&str> = self
            .routes
            .iter()
            .flat_map(|(method, ..)| match *method {
                Method::GET => vec!["GET", "HEAD"],
                _ => vec![method.as_str()],
            })
            .collect();
        // Method names are fit for a header.
        HeaderValue::from_str(&methods.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// What can be done and by whom, for the OpenAPI document.
    pub(crate) fn operations(&self, prefix: &str) -> impl Iterator<Item = (Method, String, Entry)> {
        let path = format!("{prefix}{}", self.path);
        self.routes
            .iter()
            .map(move |(method, entry, _)| (method.clone(), path.clone(), *entry))
    }
}
