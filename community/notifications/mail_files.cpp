// SPDX-License-Identifier: Apache-2.0
#include "community/infra/api/files.hpp"
#include "community/notifications/mail_transport.hpp"

namespace community::notifications {
namespace {

class FileTransport final : public MailTransport {
 public:
  explicit FileTransport(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Delivery send(const Envelope& envelope) override {
    // The id is ours, so the name cannot leave the folder; the time in front sorts them.
    const std::string name = std::to_string(envelope.queued_ms) + "-" + envelope.id + ".eml";
    if (auto made = infra::ensure_private_directory(folder_); !made) return {Outcome::later, 0, made.error().text()};
    if (auto done = infra::write_file_atomically(folder_ / name, envelope.message); !done)
      return {Outcome::later, 0, done.error().text()};
    return {Outcome::accepted, 0, {}};
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace

std::unique_ptr<MailTransport> make_file_transport(std::filesystem::path folder) {
  return std::make_unique<FileTransport>(std::move(folder));
}

}  // namespace community::notifications
