// SPDX-License-Identifier: Apache-2.0
#include "trusted/webauthn/assertion.hpp"

namespace community::webauthn {
namespace {

// Literals with their length: without it a compiler that saves space measures them with strlen, which is not there.
using namespace std::string_view_literals;

constexpr std::size_t kMaxMembers = 16;
constexpr int kMaxDepth = 4;

// Bytes of the UTF-8 character at the start of `in` (RFC 3629), 0 when there is none.
std::size_t utf8_length(ByteView in) {
  const std::uint8_t lead = in[0];
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  std::uint32_t minimum = 0, code = 0;
  if (lead >= 0xc2 && lead < 0xe0) {
    length = 2, minimum = 0x80, code = lead & 0x1fu;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    length = 3, minimum = 0x800, code = lead & 0x0fu;
  } else if (lead >= 0xf0 && lead < 0xf5) {
    length = 4, minimum = 0x10000, code = lead & 0x07u;
  } else {
    return 0;
  }
  if (in.size() < length) return 0;
  for (std::size_t i = 1; i < length; i++) {
    if ((in[i] & 0xc0) != 0x80) return 0;
    code = code << 6 | (in[i] & 0x3fu);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < minimum || code > 0x10ffff || surrogate ? 0 : length;
}

class JsonScanner {
 public:
  explicit JsonScanner(ByteView in) : rest_(in) {}

  AssertionError read(ClientData& out) {
    skip_space();
    object(0, &out);
    skip_space();
    if (error_ == AssertionError::none && !rest_.empty()) error_ = AssertionError::client_data_malformed;
    return error_;
  }

 private:
  void fail(AssertionError error = AssertionError::client_data_malformed) {
    if (error_ == AssertionError::none) error_ = error;
    rest_ = {};
  }
  bool failed() const { return error_ != AssertionError::none; }

  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n' || rest_[0] == '\r')) advance(1);
  }
  void advance(std::size_t n) { rest_ = rest_.subspan(n); }
  bool accept(char c) {
    if (rest_.empty() || rest_[0] != static_cast<std::uint8_t>(c)) return false;
    advance(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  bool accept_word(std::string_view word) {
    if (rest_.size() < word.size() || base::text(rest_.first(word.size())) != word) return false;
    advance(word.size());
    return true;
  }

  // The text between the quotes as it stands; `escaped` tells that it holds an escape.
  std::string_view string(bool& escaped) {
    escaped = false;
    expect('"');
    const ByteView start = rest_;
    while (!failed()) {
      if (rest_.empty()) {
        fail();
      } else if (rest_[0] == '"') {
        const std::string_view value = base::text(start.first(start.size() - rest_.size()));
        advance(1);
        return value;
      } else if (rest_[0] == '\\') {
        escaped = true;
        escape();
      } else {
        const std::size_t length = rest_[0] < 0x20 ? 0 : utf8_length(rest_);
        if (length == 0) fail();
        if (!failed()) advance(length);
      }
    }
    return {};
  }

  // RFC 8259, section 7.
  void escape() {
    advance(1);
    if (rest_.empty()) return fail();
    const char kind = static_cast<char>(rest_[0]);
    advance(1);
    if (kind == 'u') {
      for (int i = 0; i < 4; i++) {
        const bool digit = !rest_.empty() && ((rest_[0] >= '0' && rest_[0] <= '9') ||
                                              ((rest_[0] | 0x20) >= 'a' && (rest_[0] | 0x20) <= 'f'));
        if (!digit) return fail();
        advance(1);
      }
    } else {
      bool known = false;
      for (const char allowed : "\"\\/bfnrt"sv) known = known || kind == allowed;
      if (!known) fail();
    }
  }

  // RFC 8259, section 6.
  void number() {
    accept('-');
    if (!accept('0')) digits();
    if (accept('.')) digits();
    if (accept('e') || accept('E')) {
      if (!accept('+')) accept('-');
      digits();
    }
  }
  void digits() {
    std::size_t count = 0;
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
      advance(1);
      count++;
    }
    if (count == 0) fail();
  }

  void value(int depth) {
    if (rest_.empty()) return fail();
    bool escaped = false;
    switch (rest_[0]) {
      case '"':
        string(escaped);
        break;
      case '{':
        object(depth + 1, nullptr);
        break;
      case '[':
        array(depth + 1);
        break;
      default:
        if (!accept_word("true"sv) && !accept_word("false"sv) && !accept_word("null"sv)) number();
    }
  }

  void array(int depth) {
    if (depth >= kMaxDepth) return fail();
    expect('[');
    skip_space();
    if (accept(']')) return;
    do {
      skip_space();
      value(depth);
      skip_space();
    } while (!failed() && accept(','));
    expect(']');
  }

  void object(int depth, ClientData* out) {
    if (depth >= kMaxDepth) return fail();
    std::array<std::string_view, kMaxMembers> names;
    std::size_t count = 0;
    expect('{');
    skip_space();
    if (accept('}')) return;
    do {
      skip_space();
      bool escaped = false;
      const std::string_view name = string(escaped);
      if (escaped || count == kMaxMembers) fail();
      if (failed()) return;
      for (std::size_t i = 0; i < count; i++)
        if (names[i] == name) return fail(AssertionError::client_data_duplicate_member);
      names[count++] = name;
      skip_space();
      expect(':');
      skip_space();
      if (out != nullptr) {
        member(name, *out);
      } else {
        value(depth);
      }
      skip_space();
    } while (!failed() && accept(','));
    expect('}');
  }

  void member(std::string_view name, ClientData& out) {
    if (name == "type"sv) return plain_string(out.type);
    if (name == "challenge"sv) return plain_string(out.challenge);
    if (name == "origin"sv) return plain_string(out.origin);
    if (name == "topOrigin"sv) return plain_string(out.top_origin);
    if (name == "crossOrigin"sv) {
      if (accept_word("true"sv)) {
        out.cross_origin = true;
      } else if (!accept_word("false"sv)) {
        fail();
      }
      return;
    }
    value(0);
  }

  void plain_string(std::string_view& out) {
    bool escaped = false;
    out = string(escaped);
    if (escaped) fail();
  }

  ByteView rest_;
  AssertionError error_ = AssertionError::none;
};

// Skips one CBOR data item (RFC 8949) of definite length; false when it is malformed, too deep or cut off.
bool skip_cbor(ByteView& rest, int depth) {
  if (rest.empty() || depth > kMaxDepth) return false;
  const std::uint8_t major = rest[0] >> 5, minor = rest[0] & 0x1f;
  rest = rest.subspan(1);
  std::uint64_t argument = minor;
  if (minor >= 24) {
    if (minor > 27) return false;
    const std::size_t bytes = std::size_t{1} << (minor - 24);
    if (rest.size() < bytes) return false;
    argument = 0;
    for (std::size_t i = 0; i < bytes; i++) argument = argument << 8 | rest[i];
    rest = rest.subspan(bytes);
  }
  switch (major) {
    case 0:
    case 1:
    case 7:
      return true;
    case 2:
    case 3:
      if (argument > rest.size()) return false;
      rest = rest.subspan(static_cast<std::size_t>(argument));
      return true;
    case 6:
      return skip_cbor(rest, depth + 1);
    default: {
      // Every item takes a byte at least, so more items than bytes cannot be.
      if (argument > rest.size()) return false;
      const std::uint64_t items = major == 5 ? argument * 2 : argument;
      for (std::uint64_t i = 0; i < items; i++)
        if (!skip_cbor(rest, depth + 1)) return false;
      return true;
    }
  }
}

}  // namespace

AssertionError read_client_data(ByteView json, ClientData& out) {
  out = {};
  return JsonScanner(json).read(out);
}

std::array<char, 43> base64url(const Bytes32& bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<char, 43> out{};
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t written = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 6; held -= 6) out[written++] = kAlphabet[bits >> (held - 6) & 63];
  }
  out[written] = kAlphabet[bits << (6 - held) & 63];
  return out;
}

AssertionError read_authenticator_data(ByteView bytes, AuthenticatorData& out) {
  constexpr auto kMalformed = AssertionError::authenticator_data_malformed;
  if (bytes.size() < 37) return kMalformed;
  base::copy(out.rp_id_hash, bytes.first(32));
  out.flags = bytes[32];
  out.sign_count = base::load_be<std::uint32_t>(bytes.data() + 33);
  if ((out.flags & kAttestedCredential) != 0) return kMalformed;
  // WebAuthn section 6.1.3: backed up without being eligible cannot be.
  if ((out.flags & kBackedUp) != 0 && (out.flags & kBackupEligible) == 0) return kMalformed;
  ByteView rest = bytes.subspan(37);
  if ((out.flags & kExtensions) != 0) {
    if (rest.empty() || rest[0] >> 5 != 5 || !skip_cbor(rest, 0)) return kMalformed;
  }
  return rest.empty() ? AssertionError::none : kMalformed;
}

}  // namespace community::webauthn
