// SPDX-License-Identifier: Apache-2.0
// Answers requests for the page out of memory (RFC 9110, RFC 9111): negotiated coding, strong entity tags, and the
// policy under which the page's code runs.
#include <algorithm>
#include <array>

#include "community/gateway/page_files.hpp"
#include "community/infra/api/log.hpp"

namespace community::gateway {
namespace {

using infra::HttpRequest;
using infra::HttpResponse;
using infra::Task;

// Nothing but this node's own files and its API: no inline code or style, no eval, no frame, no form that leaves. No
// script may turn text into markup or code, but for the one policy of Trusted Types that names the service worker of
// notices (web/page/src/notices): a page can make one of that name, and it knows one address.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types "
    "notices";
constexpr std::string_view kPermissions =
    "publickey-credentials-create=(self), publickey-credentials-get=(self), clipboard-write=(self), camera=(), "
    "display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), payment=(), serial=(), usb=()";
// Files with a hash in their name never change (RFC 8246); the rest is asked for again with its tag.
constexpr std::string_view kImmutable = "public, max-age=31536000, immutable", kAskAgain = "no-cache";

constexpr std::array kCodings{ContentCoding::br, ContentCoding::gzip, ContentCoding::identity};
constexpr std::array<std::string_view, 3> kCodingNames{"br", "gzip", "identity"};

// Whom a file is for besides the page itself.
enum class Openness : std::uint8_t {
  own,
  // The window that web apps of others open: it keeps its opener, to which it answers. No other document does, so that
  // no page that opened one can reach it afterwards.
  opened,
  // The script that they include.
  included,
};
constexpr std::string_view kConnectView = "/connect", kConnectFile = "/connect.html", kProvider = "/provider.js";

void add_policy(HttpResponse& response, Openness openness = Openness::own) {
  auto& headers = response.headers;
  headers.add("content-security-policy", kContentPolicy);
  headers.add("permissions-policy", kPermissions);
  headers.add("referrer-policy", "no-referrer");
  headers.add("x-content-type-options", "nosniff");
  headers.add("x-frame-options", "DENY");
  headers.add("cross-origin-opener-policy", openness == Openness::opened ? "unsafe-none" : "same-origin");
  headers.add("cross-origin-resource-policy", openness == Openness::included ? "cross-origin" : "same-origin");
  // What a page checks by its hash (SRI) it has to be allowed to read.
  if (openness == Openness::included) headers.add("access-control-allow-origin", "*");
}

HttpResponse refused(unsigned status, std::string words) {
  HttpResponse response = infra::http_text(status, std::move(words));
  add_policy(response);
  response.headers.add("cache-control", "no-store");
  return response;
}

// RFC 9457, as everything under /api answers (spec/openapi.json).
HttpResponse no_such_path() {
  HttpResponse response = infra::http_text(
      404, R"({"type":"urn:community-node:problem:not-found","title":"There is nothing under this path","status":404})",
      "application/problem+json");
  response.headers.add("x-content-type-options", "nosniff");
  response.headers.add("cache-control", "no-store");
  return response;
}

bool is_api(std::string_view path) { return path == "/api" || path.starts_with("/api/"); }

class Door final : public PageDoor {
 public:
  explicit Door(PageFileMap files) : files_(std::move(files)) {}

  infra::HttpHandler handler() override {
    return [this](HttpRequest request) { return answer(std::move(request)); };
  }
  bool has_page() const override { return true; }

 private:
  Task<HttpResponse> answer(HttpRequest request) { co_return respond(request); }

  HttpResponse respond(const HttpRequest& request) const {
    const auto path = infra::percent_decode(request.path(), false);
    if (!path || path->find('\0') != std::string::npos) return refused(400, "this path is not well-formed\n");
    if (is_api(*path)) return no_such_path();
    const PageFile* file = find(*path);
    if (file == nullptr) return refused(404, "nothing is served under this path\n");
    if (request.method != "GET" && request.method != "HEAD") {
      HttpResponse response = refused(405, "this path answers GET and HEAD\n");
      response.headers.add("allow", "GET, HEAD");
      return response;
    }
    Openness openness = Openness::own;
    if (*path == kConnectView) openness = Openness::opened;
    if (*path == kProvider) openness = Openness::included;
    return serve(*file, request, openness);
  }

  const PageFile* find(std::string_view path) const {
    if (path == kConnectView) path = kConnectFile;
    if (const auto found = files_.find(path); found != files_.end()) return &found->second;
    return is_view(path) ? &files_.find("/index.html")->second : nullptr;
  }

  static HttpResponse serve(const PageFile& file, const HttpRequest& request, Openness openness) {
    const auto coding = choose_coding(request.headers.find("accept-encoding"), file);
    if (!coding) {
      HttpResponse response = refused(406, "this file is served as br, gzip or identity\n");
      response.headers.add("vary", "accept-encoding");
      return response;
    }
    const std::string_view name = kCodingNames[static_cast<std::size_t>(*coding)];
    const std::string tag =
        "\"" + file.tag + (*coding == ContentCoding::identity ? "" : "-" + std::string(name)) + "\"";
    HttpResponse response;
    response.headers.add("etag", tag);
    response.headers.add("vary", "accept-encoding");
    response.headers.add("cache-control", file.immutable ? kImmutable : kAskAgain);
    add_policy(response, openness);
    if (matches_tag(request.headers.get("if-none-match"), tag)) {
      response.status = 304;
      return response;
    }
    response.headers.add("content-type", file.content_type);
    response.headers.add("accept-ranges", "none");
    if (*coding != ContentCoding::identity) response.headers.add("content-encoding", name);
    response.shared_body = *coding == ContentCoding::br     ? file.br
                           : *coding == ContentCoding::gzip ? file.gzip
                                                            : file.identity;
    return response;
  }

  const PageFileMap files_;
};

// Stands where the page would: the API works without it.
class NoPage final : public PageDoor {
 public:
  explicit NoPage(std::string why) : why_(std::move(why)) {}

  infra::HttpHandler handler() override {
    return [this](HttpRequest request) { return answer(std::move(request)); };
  }
  bool has_page() const override { return false; }

 private:
  Task<HttpResponse> answer(HttpRequest request) {
    if (is_api(request.path())) co_return no_such_path();
    if (!is_view(request.path())) co_return refused(404, "nothing is served under this path\n");
    co_return refused(503, "This node has no page: " + why_ +
                               ".\n`make page` builds it into build/page; `node.page` of the configuration names "
                               "another folder. The API works without it.\n");
  }

  const std::string why_;
};

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool equal_names(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// RFC 9110, section 12.4.2, in thousandths: "0", "0.5", "1.000".
std::optional<int> parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int weight = (text[0] - '0') * 1'000;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int place = 100;
  for (const char digit : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') return std::nullopt;
    weight += (digit - '0') * place;
    place /= 10;
  }
  return weight <= 1'000 ? std::optional(weight) : std::nullopt;
}

struct Wish {
  std::string_view coding;
  int weight = 1'000;
};

// One element of Accept-Encoding: "br", "gzip;q=0.8". Nothing when it follows no grammar.
std::optional<Wish> parse_wish(std::string_view element) {
  const std::size_t semicolon = element.find(';');
  Wish wish{trim(element.substr(0, semicolon))};
  if (wish.coding.empty() || wish.coding.find_first_of(" \t\"=") != std::string_view::npos) return std::nullopt;
  if (semicolon == std::string_view::npos) return wish;
  const std::string_view parameter = trim(element.substr(semicolon + 1));
  if (parameter.size() < 3 || (parameter[0] != 'q' && parameter[0] != 'Q') || parameter[1] != '=') return std::nullopt;
  const auto weight = parse_weight(parameter.substr(2));
  if (!weight) return std::nullopt;
  wish.weight = *weight;
  return wish;
}

// The wishes of the whole field by coding, with -1 for what is not named and "*" last.
std::optional<std::array<int, 4>> parse_wishes(std::string_view field) {
  std::array<int, 4> weights{-1, -1, -1, -1};
  while (!field.empty()) {
    const std::string_view element = field.substr(0, field.find(','));
    field.remove_prefix(std::min(element.size() + 1, field.size()));
    // A list may have empty elements (RFC 9110, section 5.6.1.2).
    if (trim(element).empty()) continue;
    const auto wish = parse_wish(element);
    if (!wish) return std::nullopt;
    for (std::size_t i = 0; i < kCodingNames.size(); i++)
      if (equal_names(wish->coding, kCodingNames[i])) weights[i] = wish->weight;
    if (equal_names(wish->coding, "x-gzip")) weights[1] = wish->weight;
    if (wish->coding == "*") weights[3] = wish->weight;
  }
  return weights;
}

}  // namespace

std::optional<ContentCoding> choose_coding(std::optional<std::string_view> accept_encoding, const PageFile& file) {
  const auto wishes = accept_encoding ? parse_wishes(*accept_encoding) : std::nullopt;
  if (!wishes) return ContentCoding::identity;
  const int others = (*wishes)[3];
  std::optional<ContentCoding> best;
  int most = 0;
  for (std::size_t i = 0; i < kCodings.size(); i++) {
    if (!file.has(kCodings[i])) continue;
    int weight = (*wishes)[i] >= 0 ? (*wishes)[i] : others;
    // Unnamed, identity is taken unless "*" refuses it, after everything that was asked for.
    if (weight < 0) weight = kCodings[i] == ContentCoding::identity ? 1 : 0;
    if (weight > most) {
      most = weight;
      best = kCodings[i];
    }
  }
  return best;
}

bool matches_tag(std::string_view if_none_match, std::string_view tag) {
  if (trim(if_none_match) == "*") return true;
  while (!if_none_match.empty()) {
    // An entity tag may contain a comma, but none of ours does, so what is cut there matches nothing.
    std::string_view element = trim(if_none_match.substr(0, if_none_match.find(',')));
    if_none_match.remove_prefix(std::min(if_none_match.find(','), if_none_match.size() - 1) + 1);
    // The comparison for If-None-Match is the weak one.
    if (element.starts_with("W/")) element.remove_prefix(2);
    if (element == tag) return true;
  }
  return false;
}

infra::Result<std::unique_ptr<PageDoor>> make_page_door(const std::filesystem::path& folder, PageLimits limits) {
  auto files = read_page(folder, limits);
  if (!files) return tl::unexpected(files.error());
  return std::make_unique<Door>(std::move(*files));
}

std::unique_ptr<PageDoor> open_page_door(const std::filesystem::path& folder) {
  std::error_code ignored;
  // Strangers read the answer: no path of this machine in it.
  if (!std::filesystem::exists(folder, ignored)) return make_door_without_page("its folder is not there");
  auto door = make_page_door(folder);
  if (door) return std::move(*door);
  infra::log_error("the page is not served", {{"why", door.error().text()}});
  return make_door_without_page("its folder is not what the build made");
}

std::unique_ptr<PageDoor> make_door_without_page(std::string why) { return std::make_unique<NoPage>(std::move(why)); }

}  // namespace community::gateway
