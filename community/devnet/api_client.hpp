// SPDX-License-Identifier: Apache-2.0
// What a page is to the HTTP API (spec/openapi.json): one session with its cookie and its CSRF token.
#pragma once
#include "community/core/json.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/wallet/api/error.hpp"

namespace community::devnet {

namespace json = core::json;

class ApiClient {
 public:
  // `url` without a slash at its end; `origin` is the page's, which the API compares. `http` outlives the client.
  ApiClient(infra::HttpClient& http, std::string url, std::string origin)
      : http_(http), url_(std::move(url)), origin_(std::move(origin)) {}

  // The object of an answer between 200 and 299. node: no answer, or a problem, whose rule and detail the message
  // holds.
  infra::Task<wallet::Result<json::object>> get(std::string path);
  infra::Task<wallet::Result<json::object>> post(std::string path, json::object body);

 private:
  infra::Task<wallet::Result<json::object>> send(infra::HttpCall call);

  infra::HttpClient& http_;
  std::string url_, origin_;
  // "session=…"; empty before the log-in.
  std::string cookie_;
  std::string csrf_token_;
};

// node: the member is missing or no text.
wallet::Result<std::string> text_member(const json::object& object, std::string_view name);
// node: the member is missing or no object.
wallet::Result<json::object> object_member(const json::object& object, std::string_view name);

}  // namespace community::devnet
