// SPDX-License-Identifier: Apache-2.0
// Another node's door for backups, over HTTP. What comes back is judged by the core that it is for.
#pragma once
#include "community/backup/api/documents.hpp"
#include "community/infra/api/clock.hpp"
#include "community/infra/api/http_client.hpp"

namespace community::backup {

class PeerClient {
 public:
  // `url` is the base of the node's HTTP API, "http://host:9000"; both outlive the client.
  PeerClient(infra::HttpClient& http, infra::Clock& clock, std::string url);

  const std::string& url() const { return url_; }

  infra::Task<Result<Bytes32>> challenge();
  // QUOTE.json over a challenge, as text.
  infra::Task<Result<std::string>> quote(Bytes32 challenge);
  // The holder's operator allowed the source, or the node says refused(source_not_allowed).
  infra::Task<Result<void>> keep_share(Share share);
  infra::Task<Result<std::vector<HeldShare>>> shares(RecordId core_id);
  // refused(checkpoint_not_newer) when the holder has this one or a newer one.
  infra::Task<Result<void>> keep_checkpoint(CheckpointDocument checkpoint);
  infra::Task<Result<ShareContribution>> release(Release release);
  infra::Task<Result<void>> fence(FenceCertificate certificate);

 private:
  // The body of an answer with status 200. A node that is busy is asked again when it says.
  infra::Task<Result<std::string>> ask(std::string method, std::string target, std::string body);

  infra::HttpClient& http_;
  infra::Clock& clock_;
  std::string url_;
};

}  // namespace community::backup
