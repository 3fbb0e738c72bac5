// SPDX-License-Identifier: Apache-2.0
// How one message leaves: by SMTP, or as a file. Blocking, on a thread of the mailer's pool.
#pragma once
#include <atomic>
#include <filesystem>
#include <memory>

#include "community/notifications/factory.hpp"

namespace community::notifications {

struct Envelope {
  std::string id;
  MailAddress from, to;
  // RFC 5322, lines end with CRLF.
  std::string message;
  std::int64_t queued_ms = 0;
};

enum class Outcome : std::uint8_t {
  accepted,
  // The server may take it another time, or it may have taken it and the answer was lost.
  later,
  // The server will not take this mail.
  refused,
};

struct Delivery {
  Outcome outcome{};
  // The server's last reply (RFC 5321, section 4.2), 0 without one.
  int reply = 0;
  // Our own words; what the server said may hold addresses and stays out of logs.
  std::string words;
};

class MailTransport {
 public:
  virtual ~MailTransport() = default;
  // From several threads.
  virtual Delivery send(const Envelope& envelope) = 0;
  // What is under way ends soon, with `later`. From any thread.
  virtual void stop() {}
};

// One file for each mail, ID.eml, mode 0600. Sending twice writes the same file twice.
std::unique_ptr<MailTransport> make_file_transport(std::filesystem::path folder);
std::unique_ptr<MailTransport> make_smtp_transport(SmtpOptions options);

}  // namespace community::notifications
