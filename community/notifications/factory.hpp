// SPDX-License-Identifier: Apache-2.0
// The real bodies and what they need. Only programs (cmd/) and tests include this header.
#pragma once
#include <filesystem>
#include <memory>

#include "community/infra/api/clock.hpp"
#include "community/infra/api/config.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/infra/api/random.hpp"
#include "community/notifications/api/mailer.hpp"
#include "community/notifications/api/push.hpp"

namespace community::notifications {

struct SmtpOptions {
  // smtp://host:port, where STARTTLS is required unless `plain`, or smtps://host:port.
  std::string url;
  // Without STARTTLS and without a password: for a server of this machine alone.
  bool plain = false;
  // Empty: without AUTH.
  std::string user;
  std::string password;
  // PEM file of further certification authorities; empty: those of the system.
  std::filesystem::path ca_file;
  // For connecting, and over everything of one mail.
  infra::Milliseconds connect_timeout{10'000}, timeout{60'000};
};
// option_malformed: another scheme, `plain` to another machine or with a user, a user without a password.
Result<void> check_smtp(const SmtpOptions& options);

struct MailerOptions {
  MailIdentity identity;
  // Absent: mails become files of `outbox`.
  std::optional<SmtpOptions> smtp;
  std::filesystem::path outbox;
  // Mails that wait. A mail has at most 16 kB: 10,000 of the largest are 160 MB of disk, of the usual ones 40 MB.
  std::size_t max_waiting = 10'000;
  // Mails that are sent at the same time.
  std::size_t threads = 2;
  // After a failure; doubled each time.
  infra::Milliseconds first_pause{10'000}, max_pause{60 * 60 * 1'000};
};

// From the section [mail]; the origin is the node's. Reads the password's file. option_malformed, secret_unreadable.
Result<MailerOptions> mailer_options(const infra::Config& config, std::string origin,
                                     const std::filesystem::path& data_dir);

struct MailerDependencies {
  infra::Database& database;
  infra::Clock& clock;
  // Of ids; used on the writer's thread, too.
  infra::Random& random;
  // Of the loop that runs it.
  infra::AnyExecutor executor;
  infra::Metrics* metrics = nullptr;
};

// option_malformed.
Result<std::unique_ptr<Mailer>> make_mailer(MailerDependencies dependencies, MailerOptions options);

struct PushOptions {
  // How a push service reaches the operator: mailto: or https: (RFC 8292, section 2.1).
  std::string contact;
  // Hosts, with every name below them.
  std::vector<std::string> services;
  // Of the node's VAPID key: 64 hexadecimal digits, mode 0600, made when it is not there. Browsers are subscribed to
  // this key: without it they must subscribe anew.
  std::filesystem::path key_file;
  // Notices that wait, of everybody: about 1 kB each.
  std::size_t max_waiting = 20'000;
  // Requests at the same time.
  std::size_t requests = 8;
  infra::Milliseconds timeout{15'000};
  // After a failure; doubled each time.
  infra::Milliseconds first_pause{5'000}, max_pause{60 * 60 * 1'000};
  // For tests alone, and no key of the configuration: "http://127.0.0.1:PORT" in place of every push service.
  std::string test_receiver;
};

// From the section [push]; nothing without push.contact. option_malformed.
Result<std::optional<PushOptions>> push_options(const infra::Config& config, const std::filesystem::path& data_dir);

struct PushDependencies {
  infra::Database& database;
  infra::Clock& clock;
  // Of ids, salts and keys of messages; used on the writer's thread, too.
  infra::Random& random;
  infra::HttpClient& http;
  infra::AnyExecutor executor;
  infra::Metrics* metrics = nullptr;
};

// option_malformed; key_file when it cannot be read, made, or is open to others.
Result<std::unique_ptr<Push>> make_push(PushDependencies dependencies, PushOptions options);

// Of mails, push subscriptions and push messages.
infra::MigrationSet notification_migrations();

}  // namespace community::notifications
