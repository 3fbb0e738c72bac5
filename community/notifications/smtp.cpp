// SPDX-License-Identifier: Apache-2.0
// SMTP (RFC 5321) by libcurl, one connection a mail: mails are few, and a connection that is kept would have to be
// watched.
#include <curl/curl.h>

#include <algorithm>
#include <mutex>

#include "community/notifications/mail_transport.hpp"

namespace community::notifications {
namespace {

struct Upload {
  std::string_view left;
  const std::atomic<bool>* stopped = nullptr;
  // The last reply that refused something, and the last at all.
  int refusal = 0, reply = 0;
};

std::size_t read_some(char* out, std::size_t size, std::size_t count, void* context) {
  auto& upload = *static_cast<Upload*>(context);
  const std::size_t taken = std::min(size * count, upload.left.size());
  std::copy_n(upload.left.data(), taken, out);
  upload.left.remove_prefix(taken);
  return taken;
}

// libcurl hands every line that the server sends over as a header. Lines beyond replies are not ours to judge.
std::size_t read_reply(char* line, std::size_t size, std::size_t count, void* context) {
  auto& upload = *static_cast<Upload*>(context);
  const std::string_view text(line, size * count);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() < 3 || !std::all_of(text.begin(), text.begin() + 3, digit)) return text.size();
  const int code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  upload.reply = code;
  if (code >= 400 && code < 600) upload.refusal = code;
  return text.size();
}

int check_stop(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<Upload*>(context)->stopped ? 1 : 0;
}

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

bool is_secure(const SmtpOptions& options) { return options.url.starts_with("smtps://"); }

Delivery conclude(CURLcode code, const Upload& upload) {
  if (code == CURLE_OK) return {Outcome::accepted, upload.reply, {}};
  // Who we are was refused (535), or there is no TLS: that is the operator's to mend, and the mail can wait for it.
  const bool ours =
      code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED || code == CURLE_PEER_FAILED_VERIFICATION;
  const bool permanent = upload.refusal >= 500 && !ours;
  std::string words(curl_easy_strerror(code));
  if (upload.refusal != 0) words += "; the server answered " + std::to_string(upload.refusal);
  return {permanent ? Outcome::refused : Outcome::later, upload.refusal, std::move(words)};
}

class SmtpTransport final : public MailTransport {
 public:
  explicit SmtpTransport(SmtpOptions options) : options_(std::move(options)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }

  Delivery send(const Envelope& envelope) override {
    const std::unique_ptr<CURL, CloseHandle> handle(curl_easy_init());
    if (handle == nullptr) return {Outcome::later, 0, "libcurl has no memory"};
    CURL* curl = handle.get();
    Upload upload{envelope.message, &stopped_};
    // The name behind EHLO is that of the sender's domain, not of this machine.
    const std::string url = options_.url + "/" + envelope.from.domain;
    const std::string from = "<" + envelope.from.text() + ">", to = "<" + envelope.to.text() + ">";
    const std::unique_ptr<curl_slist, FreeList> recipients(curl_slist_append(nullptr, to.c_str()));
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    // Nothing of the environment decides where mails go.
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_some);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, read_reply);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &upload);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, check_stop);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &upload);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    secure(curl);
    return conclude(curl_easy_perform(curl), upload);
  }

  void stop() override { stopped_ = true; }

 private:
  void secure(CURL* curl) const {
    curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(options_.plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    if (options_.user.empty()) return;
    curl_easy_setopt(curl, CURLOPT_USERNAME, options_.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, options_.password.c_str());
  }

  SmtpOptions options_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace

Result<void> check_smtp(const SmtpOptions& options) {
  std::string_view host = options.url;
  const bool starttls = host.starts_with("smtp://");
  if (!starttls && !is_secure(options))
    return fail(ErrorCode::option_malformed, "mail.smtp_url is smtp://host:port or smtps://host:port");
  host.remove_prefix(host.find("://") + 3);
  if (host.empty() || host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") !=
                          std::string_view::npos)
    return fail(ErrorCode::option_malformed, "mail.smtp_url names a host, perhaps a port, and nothing else");
  const std::string_view name = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  const bool here = name == "localhost" || name == "127.0.0.1" || name == "[::1]";
  if (options.plain && (!here || !options.user.empty() || !starttls))
    return fail(ErrorCode::option_malformed, "mail.starttls = off is for a server of this machine, without a user");
  if (options.user.empty() != options.password.empty())
    return fail(ErrorCode::option_malformed, "mail.user and mail.password_file belong together");
  return {};
}

std::unique_ptr<MailTransport> make_smtp_transport(SmtpOptions options) {
  return std::make_unique<SmtpTransport>(std::move(options));
}

}  // namespace community::notifications
