//! The gate before every handler: no identity or no row in the table, no call. It stands before
//! the body is read.

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tonic::Status;
use tonic::service::Routes;

use super::status;
use crate::serve::authorise::authorise;
use crate::serve::identity::{Caller, Identity};

/// Puts the gate before all routes.
pub(super) fn guard(routes: Routes) -> Routes {
    Routes::from(routes.into_axum_router().layer(middleware::from_fn(gate)))
}

async fn gate(mut request: Request, next: Next) -> Response {
    match admit(&request) {
        Ok(identity) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Err(refusal) => refusal.into_http::<axum::body::Body>().into_response(),
    }
}

fn admit(request: &Request) -> Result<Identity, Status> {
    // Put there by the door, for every connection.
    let caller = request.extensions().get::<Arc<Caller>>();
    let identity = caller.ok_or_else(status::defect)?.identity();
    let identity = identity.map_err(status::identity)?;
    let method = request.uri().path();
    authorise(identity, method).map_err(|error| status::authorise(&error))?;
    tracing::debug!(actor = identity.actor(), method, "call");
    Ok(identity.clone())
}
