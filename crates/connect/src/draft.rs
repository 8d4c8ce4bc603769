//! A request that is being put together.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::AUTHORIZATION};
use serde_json::Value;
use switchboard_model::{
    problem::Problem,
    template::{Scope, Template},
};

use crate::{
    call::HttpRequest,
    interpolation::STRICT,
    parameter::{Header, Parameter},
    reading::text_of,
    request::{failed, incomplete, text},
};

/// A request that is being put together.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The method.
    pub method: Method,
    /// The address so far.
    pub url: String,
    /// The headers so far.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    secrets: Vec<String>,
}

impl Draft {
    /// A request with no headers and no body.
    pub fn new(method: Method, url: String) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::with_capacity(8),
            body: Bytes::new(),
            secrets: Vec::new(),
        }
    }

    /// Adds query parameters; absent ones are left out, those with a list are repeated.
    pub fn add_query(&mut self, parameters: &[Parameter], scope: &Scope<'_>) -> Result<(), Problem> {
        for parameter in parameters {
            for value in parameter.render(scope)? {
                self.url.push(if self.url.contains('?') { '&' } else { '?' });
                self.url
                    .extend(percent_encoding::utf8_percent_encode(&parameter.name, STRICT));
                self.url.push('=');
                self.url.extend(percent_encoding::utf8_percent_encode(&value, STRICT));
                if parameter.secret {
                    self.secrets.push(value);
                }
            }
        }
        Ok(())
    }

    /// Adds headers; absent ones are left out.
    pub fn add_headers(&mut self, headers: &[Header], scope: &Scope<'_>) -> Result<(), Problem> {
        for header in headers {
            if let Some(value) = text(&header.text, scope)?.filter(|value| !value.is_empty()) {
                self.add_header(header.name.clone(), &value, header.secret)?;
            }
        }
        Ok(())
    }

    /// Sets one header.
    pub fn add_header(&mut self, name: HeaderName, value: &str, secret: bool) -> Result<(), Problem> {
        let wrong = || {
            incomplete(&format!(
                "the value of the header `{name}` has characters that no header may have"
            ))
        };
        let mut header = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong())?;
        header.set_sensitive(secret);
        if secret {
            // What follows `Bearer ` is the secret; the answer may repeat it without that word.
            let bare = value.rsplit(' ').next().unwrap_or(value);
            self.secrets.push(bare.to_owned());
        }
        self.headers.insert(name, header);
        Ok(())
    }

    /// Signs in with HTTP Basic (RFC 7617).
    pub fn add_basic(&mut self, user: &str, password: &str) -> Result<(), Problem> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        self.secrets.push(password.to_owned());
        self.add_header(
            AUTHORIZATION,
            &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
            true,
        )
    }

    /// The parameters as a form.
    pub fn form(&mut self, parameters: &[Parameter], scope: &Scope<'_>) -> Result<String, Problem> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for parameter in parameters {
            for value in parameter.render(scope)? {
                form.append_pair(&parameter.name, &value);
                if parameter.secret {
                    self.secrets.push(value);
                }
            }
        }
        Ok(form.finish())
    }

    /// Remembers a text that nobody may see.
    pub fn hide(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }

    /// The texts that nobody may see, so far.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// The finished request.
    pub fn finish(self) -> HttpRequest {
        HttpRequest::new(self.method, self.url, self.headers, self.body, self.secrets)
    }

    /// Adds the headers of a template that gives an object of names and values: those that a user wrote into the settings.
    pub fn add_user_headers(&mut self, template: &Template, scope: &Scope<'_>) -> Result<(), Problem> {
        let value = template.render(scope).map_err(|error| failed(&error.to_string()))?;
        let Some(Value::Object(headers)) = value else {
            return Ok(());
        };
        for (name, value) in headers {
            let wrong = || incomplete(&format!("`{name}` is no name of a header"));
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            if let Some(value) = text_of(&value) {
                // Users put tokens of their own there.
                self.add_header(header, &value, true)?;
            }
        }
        Ok(())
    }
}
