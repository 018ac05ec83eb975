//! The gate before every handler: no identity or no row in the table, no call. It stands before
//! the body is read.

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tonic::Status;
use tonic::service::Routes;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};

use super::status;
use crate::serve::authorise::authorise;
use crate::serve::identity::{Identity, IdentityError};

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
    let connection = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>();
    let certificates = connection
        .and_then(TlsConnectInfo::peer_certs)
        .ok_or_else(|| status::identity(IdentityError::NoCertificate))?;
    let leaf = certificates
        .first()
        .ok_or_else(|| status::identity(IdentityError::NoCertificate))?;
    let identity = Identity::from_certificate(leaf).map_err(status::identity)?;
    let method = request.uri().path();
    authorise(&identity, method).map_err(|error| status::authorise(&error))?;
    tracing::debug!(actor = identity.actor(), method, "call");
    Ok(identity)
}
