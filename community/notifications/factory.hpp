// SPDX-License-Identifier: Apache-2.0
// The real bodies and what they need. Only programs (cmd/) and tests include this header.
#pragma once
#include <filesystem>
#include <memory>

#include "community/infra/api/clock.hpp"
#include "community/infra/api/config.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/infra/api/random.hpp"
#include "community/notifications/api/mailer.hpp"

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

// Of mails, push subscriptions and push messages.
infra::MigrationSet notification_migrations();

}  // namespace community::notifications
