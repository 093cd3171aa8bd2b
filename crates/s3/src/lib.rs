//! A bucket that speaks the S3 protocol: addresses that carry their own permission, uploads in
//! parts, and deletion.
//!
//! It knows how requests are signed and sent, and nothing of what the objects are. The bytes of an
//! object never pass through here: whoever holds an address moves them.

mod http_client;

use std::fmt;
use std::time::Duration;

use hatchery_vocab::Timestamp;
use http::{Method, StatusCode};
use rusty_s3::actions::{CreateMultipartUpload, ListParts};
use rusty_s3::{Credentials, S3Action, UrlStyle};

use http_client::HttpClient;

/// How long an address for a request of our own is valid: it is sent at once.
const REQUEST_LIFETIME: Duration = Duration::from_mins(5);

/// The most parts that an upload may have; the protocol's own limit.
pub const MAX_PARTS: u64 = 10_000;

/// The content type of every object: what the reference stores its archives as.
const CONTENT_TYPE: &str = "application/x-gzip";

/// Where a bucket is and who may use it.
#[derive(Clone)]
pub struct BucketConfig {
    /// The service, such as `https://s3.eu-central-1.amazonaws.com`.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// The bucket's name.
    pub bucket: String,
    /// The public half of the credentials.
    pub access_key: String,
    /// The secret half.
    pub secret_key: String,
    /// Whether the bucket's name is the first part of the path rather than of the host.
    pub path_style: bool,
}

impl fmt::Debug for BucketConfig {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketConfig")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

/// Why a bucket did not do what it was asked to. No text names an address that carries a signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// The settings describe no bucket.
    #[error("the S3 bucket is set up wrongly: {0}")]
    Config(String),
    /// No answer came.
    #[error("the S3 service could not be reached: {0}")]
    Unreachable(String),
    /// It refused.
    #[error("the S3 service answered {status}: {reason}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// The beginning of what it said.
        reason: String,
    },
    /// Its answer is not what the protocol says.
    #[error("the answer of the S3 service is not understood: {0}")]
    Malformed(String),
}

/// A bucket. Clones share the connections.
#[derive(Clone)]
pub struct Bucket {
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    http: HttpClient,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("url", &self.bucket.base_url().as_str())
            .finish_non_exhaustive()
    }
}

impl Bucket {
    /// The bucket that the settings describe. Nothing is sent.
    ///
    /// # Errors
    /// [`BucketError::Config`] when there can be no such bucket.
    pub fn new(config: &BucketConfig) -> Result<Self, BucketError> {
        let endpoint = config.endpoint.parse().map_err(|_| {
            BucketError::Config(format!("{} is no address of a service", config.endpoint))
        })?;
        let style = if config.path_style {
            UrlStyle::Path
        } else {
            UrlStyle::VirtualHost
        };
        let bucket = rusty_s3::Bucket::new(
            endpoint,
            style,
            config.bucket.clone(),
            config.region.clone(),
        )
        .map_err(|error| BucketError::Config(error.to_string()))?;
        Ok(Self {
            bucket,
            credentials: Credentials::new(config.access_key.clone(), config.secret_key.clone()),
            http: HttpClient::new(),
        })
    }

    /// The host that addresses of this bucket name.
    pub fn host(&self) -> &str {
        self.bucket.base_url().host_str().unwrap_or_default()
    }

    /// An address from which an object can be fetched.
    pub fn download_address(&self, key: &str, now: Timestamp, lifetime: Duration) -> String {
        let mut action = self.bucket.get_object(Some(&self.credentials), key);
        action
            .query_mut()
            .insert("response-content-type", CONTENT_TYPE);
        action.sign_with_time(lifetime, &moment(now)).into()
    }

    /// Begins an upload and returns what the bucket calls it.
    pub async fn begin_upload(&self, key: &str, now: Timestamp) -> Result<String, BucketError> {
        let mut action = self
            .bucket
            .create_multipart_upload(Some(&self.credentials), key);
        action.headers_mut().insert("content-type", CONTENT_TYPE);
        let address = action.sign_with_time(REQUEST_LIFETIME, &moment(now));
        let answer = self
            .http
            .send(
                Method::POST,
                address.as_str(),
                Some(CONTENT_TYPE),
                String::new(),
            )
            .await?;
        CreateMultipartUpload::parse_response(&answer)
            .map(|upload| upload.upload_id().to_owned())
            .map_err(|error| BucketError::Malformed(error.to_string()))
    }

    /// Addresses to which so many parts of an upload can be put.
    pub fn part_addresses(
        &self,
        key: &str,
        upload: &str,
        count: u16,
        now: Timestamp,
        lifetime: Duration,
    ) -> Vec<String> {
        (1..=count)
            .map(|number| {
                self.bucket
                    .upload_part(Some(&self.credentials), key, number, upload)
                    .sign_with_time(lifetime, &moment(now))
                    .into()
            })
            .collect()
    }

    /// The entity tags of the parts that the bucket has, in their order.
    pub async fn parts(
        &self,
        key: &str,
        upload: &str,
        now: Timestamp,
    ) -> Result<Vec<String>, BucketError> {
        let mut tags = Vec::new();
        let mut after = None;
        loop {
            let mut action = self.bucket.list_parts(Some(&self.credentials), key, upload);
            if let Some(after) = after {
                action.set_part_number_marker(after);
            }
            let address = action.sign_with_time(REQUEST_LIFETIME, &moment(now));
            let answer = self
                .http
                .send(Method::GET, address.as_str(), None, String::new())
                .await?;
            let page = ListParts::parse_response(&answer)
                .map_err(|error| BucketError::Malformed(error.to_string()))?;
            let (count, next) = (tags.len(), page.next_part_number_marker);
            tags.extend(page.parts.into_iter().map(|part| part.etag));
            match next {
                Some(next) if tags.len() > count && (tags.len() as u64) < MAX_PARTS => {
                    after = Some(next);
                }
                _ => return Ok(tags),
            }
        }
    }

    /// Makes an object of the parts of an upload, whose entity tags are given in their order.
    pub async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        tags: &[String],
        now: Timestamp,
    ) -> Result<(), BucketError> {
        if tags.len() as u64 > MAX_PARTS {
            return Err(BucketError::Malformed("too many parts".to_owned()));
        }
        let action = self.bucket.complete_multipart_upload(
            Some(&self.credentials),
            key,
            upload,
            tags.iter().map(String::as_str),
        );
        let address = action.sign_with_time(REQUEST_LIFETIME, &moment(now));
        let answer = self
            .http
            .send(Method::POST, address.as_str(), None, action.body())
            .await?;
        // The protocol answers 200 before it knows whether it will succeed.
        if answer.contains("<CompleteMultipartUploadResult") {
            Ok(())
        } else {
            Err(BucketError::Malformed(http_client::beginning(&answer)))
        }
    }

    /// Gives an upload up. One that is unknown is as good as given up.
    pub async fn abort_upload(
        &self,
        key: &str,
        upload: &str,
        now: Timestamp,
    ) -> Result<(), BucketError> {
        let address = self
            .bucket
            .abort_multipart_upload(Some(&self.credentials), key, upload)
            .sign_with_time(REQUEST_LIFETIME, &moment(now));
        self.delete_at(address.as_str()).await
    }

    /// Deletes an object. One that does not exist is as good as deleted.
    pub async fn delete(&self, key: &str, now: Timestamp) -> Result<(), BucketError> {
        let address = self
            .bucket
            .delete_object(Some(&self.credentials), key)
            .sign_with_time(REQUEST_LIFETIME, &moment(now));
        self.delete_at(address.as_str()).await
    }

    async fn delete_at(&self, address: &str) -> Result<(), BucketError> {
        match self
            .http
            .send(Method::DELETE, address, None, String::new())
            .await
        {
            Err(BucketError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(()),
            answer => answer.map(drop),
        }
    }
}

fn moment(now: Timestamp) -> jiff_of_rusty_s3::Timestamp {
    use jiff_of_rusty_s3::Timestamp as Moment;
    Moment::from_microsecond(now.micros()).unwrap_or(Moment::UNIX_EPOCH)
}
