// SPDX-License-Identifier: Apache-2.0
// Takes due mails from the table, sends them on a pool, and writes down what became of them. A mail is composed when it
// is queued, so every attempt is the same message with the same Message-ID.
//
// At least once: a process that dies between the server's 250 behind DATA and the row's end sends the mail again, and
// so does a server that hangs up in between (RFC 1047); receivers know the repetition by its Message-ID. A mail whose
// acceptance this process has seen is never sent again, also while the database refuses to note it.
#include "community/notifications/mailer.hpp"

#include <soci/soci.h>

#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/api/worker_pool.hpp"
#include "community/infra/api/write_signal.hpp"
#include "community/notifications/ids.hpp"
#include "community/notifications/mail_outbox.hpp"

namespace community::notifications {
namespace {

using infra::Milliseconds;

// The longest text with its padding is 5 kB.
constexpr std::size_t kMaxMessageBytes = 16 * 1'024;
// Mails taken from the table at a time.
constexpr std::size_t kBatch = 64;
constexpr Milliseconds kPauseAfterFailure{1'000};
constexpr Milliseconds kStuck{10 * 60 * 1'000};
// Also without mails, so that what ended long ago goes.
constexpr Milliseconds kTidyEvery{60 * 60 * 1'000};

Error storage_error(const infra::Error& error) { return {ErrorCode::storage_failed, error.text()}; }

class OutboxMailer final : public Mailer {
 public:
  OutboxMailer(MailerDependencies dependencies, MailerOptions options, std::unique_ptr<MailTransport> transport)
      : d_(std::move(dependencies)),
        options_(std::move(options)),
        transport_(std::move(transport)),
        signal_(d_.database, d_.executor),
        pool_({"mail", options_.threads, kBatch}) {
    if (d_.metrics == nullptr) return;
    const auto counter = [this](const char* result) {
      return d_.metrics->counter("community_mails_total", "Mails by what became of an attempt", {{"result", result}});
    };
    sent_.emplace(counter("sent"));
    later_.emplace(counter("later"));
    refused_.emplace(counter("refused"));
    expired_.emplace(counter("expired"));
  }
  ~OutboxMailer() override {
    transport_->stop();
    pool_.stop();
  }

  Result<void> queue(soci::session& sql, const Mail& mail) override {
    const auto to = parse_mail_address(mail.to);
    if (!to) return tl::unexpected(to.error());
    if (mail.expires_ms <= mail.now_ms) return fail(ErrorCode::mail_expired);
    const auto text = render(mail.text, mail.language, mail.values, options_.identity);
    if (!text) return tl::unexpected(text.error());
    Envelope envelope;
    envelope.id = make_uuid(d_.random);
    envelope.to = *to;
    envelope.queued_ms = mail.now_ms;
    envelope.message = compose_message(options_.identity, {*to, mail.language, mail.now_ms, envelope.id}, *text);
    if (envelope.message.size() > kMaxMessageBytes) return fail(ErrorCode::payload_too_large);
    if (count_waiting(sql) >= options_.max_waiting)
      return fail(ErrorCode::outbox_full, std::to_string(options_.max_waiting) + " mails wait");
    insert_mail(sql, envelope, mail.expires_ms);
    signal_.raise();
    return {};
  }

  std::size_t forget(soci::session& sql, const std::string& address) override {
    const auto parsed = parse_mail_address(address);
    return parsed ? remove_waiting(sql, parsed->text()) : 0;
  }

  infra::HealthReport report() const override {
    using infra::HealthState;
    // A queue that is full refuses registrations, which need a code.
    if (waiting_ > options_.max_waiting - options_.max_waiting / 4)
      return {HealthState::degraded, std::to_string(waiting_) + " mails wait, " + std::to_string(options_.max_waiting) +
                                         " at most: is the mail server away?"};
    if (failing_since_ && d_.clock.steady() - *failing_since_ >= kStuck)
      return {HealthState::degraded, "no mail was taken by the mail server for ten minutes or more, and " +
                                         std::to_string(waiting_) + " wait; the log says why"};
    return {};
  }

  Task<Result<MailCounts>> counts() override {
    const auto found = co_await d_.database.read([](soci::session& sql) { return count_mails(sql); });
    if (!found) co_return tl::unexpected(storage_error(found.error()));
    co_return *found;
  }

  Task<void> run() override {
    for (;;) {
      auto due = co_await take();
      if (!due) {
        infra::log_warning("mails cannot be read now", {{"why", due.error().text()}});
        co_await d_.clock.sleep_for(kPauseAfterFailure);
        continue;
      }
      if (due->mails.empty()) {
        const std::int64_t pause = std::clamp<std::int64_t>(due->next_ms - d_.clock.now_ms(), 0, kTidyEvery.count());
        co_await signal_.wait_until(d_.clock, d_.clock.steady() + Milliseconds(pause));
        continue;
      }
      std::function<Task<void>(std::size_t)> work = [this, &due](std::size_t i) { return deliver(due->mails[i]); };
      co_await infra::for_each_bounded(due->mails.size(), options_.threads, work);
    }
  }

 private:
  struct Look {
    std::uint64_t expired = 0, waiting = 0;
    DueMails due;
  };

  Task<Result<DueMails>> take() {
    auto work = [now = d_.clock.now_ms()](soci::session& sql) {
      const std::uint64_t expired = tidy_mails(sql, now);
      return Look{expired, count_waiting(sql), due_mails(sql, now, kBatch)};
    };
    auto found = co_await d_.database.write(work);
    if (!found) co_return tl::unexpected(storage_error(found.error()));
    if (expired_ && found->expired > 0) expired_->add(static_cast<double>(found->expired));
    waiting_ = found->waiting;
    // Nothing that an attempt could fail with is left.
    if (waiting_ == 0) failing_since_.reset();
    co_return std::move(found->due);
  }

  Task<void> deliver(DueMail& mail) {
    if (mail.expires_ms <= d_.clock.now_ms()) {
      co_await end(mail, MailEnd::expired, 0);
      co_return;
    }
    const auto to = parse_mail_address(mail.recipient);
    if (!to) {
      // Only somebody who wrote into the table can have done this.
      infra::log_error("a mail in the outbox has no address", {{"mail", mail.envelope.id}});
      co_await end(mail, MailEnd::refused, 0);
      co_return;
    }
    mail.envelope.to = *to;
    mail.envelope.from = options_.identity.from;
    auto work = [transport = transport_, envelope = mail.envelope] { return transport->send(envelope); };
    const auto delivered = co_await pool_.run(work);
    const Delivery delivery = delivered ? *delivered : Delivery{Outcome::later, 0, delivered.error().text()};
    // A refusal is an answer, too: it is about one mail, and the server is there.
    if (delivery.outcome != Outcome::later) failing_since_.reset();
    if (delivery.outcome == Outcome::later && !failing_since_) failing_since_ = d_.clock.steady();
    if (delivery.outcome == Outcome::accepted) {
      co_await end(mail, MailEnd::sent, delivery.reply);
    } else if (delivery.outcome == Outcome::refused) {
      infra::log_warning("a mail was refused", {{"mail", mail.envelope.id}, {"why", delivery.words}});
      co_await end(mail, MailEnd::refused, delivery.reply);
    } else {
      co_await postpone(mail, delivery);
    }
  }

  Task<void> postpone(const DueMail& mail, const Delivery& delivery) {
    const Milliseconds pause =
        std::min(options_.max_pause, options_.first_pause * (std::int64_t{1} << std::min(mail.attempts, 20u)));
    infra::log_warning("a mail was not sent and will be tried again",
                       {{"mail", mail.envelope.id}, {"why", delivery.words}, {"pause_ms", pause.count()}});
    if (later_) later_->add();
    auto work = [id = mail.envelope.id, next = d_.clock.now_ms() + pause.count(),
                 reply = delivery.reply](soci::session& sql) { postpone_mail(sql, id, next, reply); };
    co_await note(work);
  }

  Task<void> end(const DueMail& mail, MailEnd how, int reply) {
    auto& counter = how == MailEnd::sent ? sent_ : how == MailEnd::refused ? refused_ : expired_;
    if (counter) counter->add();
    auto work = [id = mail.envelope.id, how, now = d_.clock.now_ms(), reply](soci::session& sql) {
      end_mail(sql, id, how, now, reply);
    };
    co_await note(work);
  }

  // Until it is on disk: what was accepted is not sent again because the database had a bad moment.
  template <class F>
  Task<void> note(F& work) {
    for (;;) {
      const auto done = co_await d_.database.write(work);
      if (done) co_return;
      infra::log_error("what became of a mail cannot be written down now", {{"why", done.error().text()}});
      co_await d_.clock.sleep_for(kPauseAfterFailure);
    }
  }

  MailerDependencies d_;
  MailerOptions options_;
  std::shared_ptr<MailTransport> transport_;
  infra::WriteSignal signal_;
  infra::WorkerPool pool_;
  // As of the last look.
  std::uint64_t waiting_ = 0;
  // The first of the failures that no success came after.
  std::optional<infra::SteadyTime> failing_since_;
  std::optional<infra::Counter> sent_, later_, refused_, expired_;
};

}  // namespace

std::unique_ptr<Mailer> make_mailer_with(MailerDependencies dependencies, MailerOptions options,
                                         std::unique_ptr<MailTransport> transport) {
  return std::make_unique<OutboxMailer>(std::move(dependencies), std::move(options), std::move(transport));
}

Result<std::unique_ptr<Mailer>> make_mailer(MailerDependencies dependencies, MailerOptions options) {
  if (auto right = check_identity(options.identity); !right) return tl::unexpected(right.error());
  std::unique_ptr<MailTransport> transport;
  if (options.smtp) {
    if (auto right = check_smtp(*options.smtp); !right) return tl::unexpected(right.error());
    transport = make_smtp_transport(*options.smtp);
  } else {
    transport = make_file_transport(options.outbox);
  }
  return make_mailer_with(std::move(dependencies), std::move(options), std::move(transport));
}

Result<MailerOptions> mailer_options(const infra::Config& config, std::string origin,
                                     const std::filesystem::path& data_dir) {
  MailerOptions options;
  options.identity.name = config.text("mail.name");
  options.identity.origin = std::move(origin);
  const auto from = parse_mail_address(config.text("mail.from"));
  if (!from) return fail(ErrorCode::option_malformed, "mail.from: " + from.error().message);
  options.identity.from = *from;
  options.outbox = data_dir / "outbox";
  if (config.text("mail.delivery") != "smtp") return options;
  SmtpOptions smtp;
  smtp.url = config.text("mail.smtp_url");
  smtp.plain = config.text("mail.starttls") == "off";
  smtp.user = config.text("mail.user");
  smtp.ca_file = config.text("mail.ca_file");
  smtp.timeout = config.duration("mail.timeout");
  if (const std::string& file = config.text("mail.password_file"); !file.empty()) {
    constexpr std::size_t kMaxPassword = 1'024;
    auto password = infra::read_file(file, kMaxPassword);
    if (!password) return fail(ErrorCode::secret_unreadable, "mail.password_file: " + password.error().text());
    while (password->ends_with('\n') || password->ends_with('\r')) password->pop_back();
    smtp.password = std::move(*password);
  }
  if (!config.is_set("mail.from"))
    return fail(ErrorCode::option_malformed, "mail.from is needed with mail.delivery = smtp");
  if (auto right = check_smtp(smtp); !right) return tl::unexpected(right.error());
  options.smtp = std::move(smtp);
  return options;
}

}  // namespace community::notifications
