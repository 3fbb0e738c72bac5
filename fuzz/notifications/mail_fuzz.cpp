// SPDX-License-Identifier: Apache-2.0
// A stranger's address and the values that come from strangers: what is taken makes a message whose header is ours.
#include "community/notifications/api/mail.hpp"
#include "fuzz/core/fuzz.hpp"

using namespace community;
using core::require;

namespace {

const notifications::MailIdentity kIdentity{"Community Node", {"node", "example.org"}, "https://example.org"};

void check_message(const std::string& message) {
  const std::size_t end = message.find("\r\n\r\n");
  require(end != std::string::npos, "a message has a head");
  // From, To, Subject, Date, Message-ID, Auto-Submitted, MIME-Version, three of Content; folded lines begin with a
  // blank.
  std::size_t fields = 0;
  for (std::size_t at = 0; at < end; at = message.find("\r\n", at) + 2) fields += message[at] != ' ' ? 1 : 0;
  require(fields == 10, "a message has our ten fields");
  for (std::size_t i = 0; i < message.size(); i++) {
    require((message[i] & 0x80) == 0 && message[i] != '\0', "a message is ASCII");
    require(message[i] != '\n' || (i > 0 && message[i - 1] == '\r'), "lines end with CR and LF");
    require(message[i] != '\r' || (i + 1 < message.size() && message[i + 1] == '\n'), "CR stands before LF alone");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [text, rest] = core::split({data, size});
  const auto address = notifications::parse_mail_address(text);
  if (address) {
    require(address->text() == text, "an address is what was written");
    require(text.find_first_of(" \r\n<>,;:\"()[]\\\t") == std::string_view::npos, "an address has no syntax in it");
  }
  notifications::MailValues values{{"device", std::string(base::text(rest))}, {"time", "2026-01-01 12:00 UTC"}};
  const auto device = notifications::render(notifications::MailText::new_login, "en", values, kIdentity);
  if (device) {
    const std::string_view written = base::text(rest);
    require(written.find_first_of("./:@\r\n") == std::string_view::npos, "a device is no link");
    require(device->body.find(written) != std::string::npos, "a device is shown as it is");
  }
  values = {{"code", "12345678"}, {"minutes", std::string(base::text(rest))}};
  const auto code = notifications::render(notifications::MailText::registration_code, "th", values, kIdentity);
  if (!address) return 0;
  notifications::MessageHead head{*address, "en", static_cast<std::int64_t>(size), "id"};
  if (device) check_message(notifications::compose_message(kIdentity, head, *device));
  if (code) check_message(notifications::compose_message(kIdentity, head, *code));
  // Any text at all, as a subject and a body of our own might be.
  if (!core::is_utf8(rest) || base::text(rest).find_first_of("\r\n") != std::string_view::npos) return 0;
  notifications::RenderedText any{"s" + std::string(base::text(rest)) + "e", std::string(base::text(rest)) + "\n",
                                  false};
  for (char& c : any.subject)
    if ((static_cast<unsigned char>(c) < 0x20 && c >= 0) || c == 0x7f) c = '_';
  check_message(notifications::compose_message(kIdentity, head, any));
  return 0;
}
