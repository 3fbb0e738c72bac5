// SPDX-License-Identifier: Apache-2.0
// The page's folder and the requests for it, as an untidy disk and untidy clients bring them.
#include <gtest/gtest.h>

#include <fstream>

#include "community/core/bytes.hpp"
#include "community/gateway/page_files.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "trusted/base/sha2.hpp"

namespace community::gateway {
namespace {

namespace fs = std::filesystem;
using infra::ErrorCode;
using infra::HttpResponse;

std::string sha256_hex(const std::string& text) {
  return core::to_plain_hex(
      base::sha256(base::ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
}

class PageFilesTest : public ::testing::Test {
 protected:
  PageFilesTest() {
    put("index.html", "<!doctype html>");
    put("index.html.br", "br of index");
    put("index.html.gz", "gz of index");
    put("assets/main-abc.js", "script");
    put("assets/main-abc.js.gz", "gz of script");
    put("icon.svg", "<svg/>");
    list_all();
  }

  void put(const std::string& name, const std::string& content) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }

  // What the build does last.
  void list_all() {
    std::map<std::string, std::string> digests;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      if (!entry.is_regular_file() || entry.path().filename() == "files.sha256") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string content((std::istreambuf_iterator<char>(file)), {});
      digests[entry.path().lexically_relative(folder_).generic_string()] = sha256_hex(content);
    }
    std::string text;
    for (const auto& [name, digest] : digests) text += digest + "  " + name + "\n";
    put("files.sha256", text);
  }

  void expect_refused(ErrorCode code, const std::string& word, PageLimits limits = {}) {
    const auto files = read_page(folder_, limits);
    ASSERT_FALSE(files) << word;
    EXPECT_EQ(files.error().code, code) << files.error().message;
    EXPECT_NE(files.error().message.find(word), std::string::npos) << files.error().message;
  }

  HttpResponse get(const std::string& target, std::vector<std::pair<std::string, std::string>> headers = {},
                   const std::string& method = "GET") {
    if (!door_) door_ = std::move(*make_page_door(folder_));
    infra::HttpRequest request;
    request.method = method;
    request.target = target;
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    return loop_.block_on(door_->handler()(std::move(request)));
  }

  static std::string header(const HttpResponse& response, std::string_view name) {
    return std::string(response.headers.get(name));
  }

  infra::TemporaryDirectory scratch_;
  const fs::path folder_ = scratch_.path() / "page";
  infra::EventLoop loop_;
  std::unique_ptr<PageDoor> door_;
};

TEST_F(PageFilesTest, AFolderIsReadInAllCodings) {
  const auto files = read_page(folder_, {});
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 4u);
  const PageFile& index = files->at("/index.html");
  EXPECT_EQ(*index.identity, "<!doctype html>");
  EXPECT_EQ(*index.br, "br of index");
  EXPECT_EQ(*index.gzip, "gz of index");
  EXPECT_EQ(index.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(index.tag, sha256_hex("<!doctype html>").substr(0, 32));
  EXPECT_FALSE(index.immutable);
  EXPECT_TRUE(files->at("/assets/main-abc.js").immutable);
  EXPECT_FALSE(files->at("/assets/main-abc.js").has(ContentCoding::br));
}

TEST_F(PageFilesTest, AFolderThatIsNotWhatTheBuildListedIsRefused) {
  put("icon.svg", "<svg>other</svg>");
  expect_refused(ErrorCode::malformed, "icon.svg is not the one");
  list_all();
  put("more.svg", "<svg/>");
  expect_refused(ErrorCode::malformed, "other files");
  fs::remove(folder_ / "icon.svg");
  expect_refused(ErrorCode::malformed, "more.svg is not in its files.sha256");
  fs::remove(folder_ / "more.svg");
  expect_refused(ErrorCode::malformed, "other files");
  list_all();
  EXPECT_TRUE(read_page(folder_, {}));
  fs::remove(folder_ / "files.sha256");
  expect_refused(ErrorCode::io, "files.sha256");
}

TEST_F(PageFilesTest, AListOfAnotherFormIsRefused) {
  const std::string digest(64, 'a');
  for (const std::string& text :
       {digest + " index.html\n", digest + "  \n", digest.substr(1) + "  index.html\n",
        std::string(64, 'A') + "  index.html\n", std::string("\n"), digest + " *index.html\n"}) {
    put("files.sha256", text);
    expect_refused(ErrorCode::malformed, "another form");
  }
  put("files.sha256", digest + "  index.html\n" + digest + "  index.html\n");
  expect_refused(ErrorCode::malformed, "twice");
}

TEST_F(PageFilesTest, WhatNoPageHasIsRefused) {
  put("program.wasm", "x");
  list_all();
  expect_refused(ErrorCode::malformed, "program.wasm is of a kind");
  fs::remove(folder_ / "program.wasm");
  fs::create_symlink("index.html", folder_ / "link.html");
  expect_refused(ErrorCode::malformed, "link.html is no plain file");
  fs::remove(folder_ / "link.html");
  put("alone.js.br", "x");
  list_all();
  expect_refused(ErrorCode::malformed, "compressed form only");
  fs::remove(folder_ / "alone.js.br");
  for (const char* name : {"index.html", "index.html.br", "index.html.gz"}) fs::remove(folder_ / name);
  list_all();
  expect_refused(ErrorCode::malformed, "no index.html");
  fs::remove_all(folder_);
  expect_refused(ErrorCode::io, folder_.string());
}

TEST_F(PageFilesTest, LimitsHoldAtTheirValue) {
  // Seven files with the list.
  EXPECT_TRUE(read_page(folder_, {.files = 7}));
  expect_refused(ErrorCode::too_large, "more than 6 files", {.files = 6});
  std::size_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_))
    if (entry.is_regular_file()) bytes += entry.file_size();
  EXPECT_TRUE(read_page(folder_, {.bytes = bytes}));
  expect_refused(ErrorCode::too_large, "bytes", {.bytes = bytes - 1});
}

TEST_F(PageFilesTest, FilesAreServedWithTypeTagAndTimeToKeep) {
  const HttpResponse script = get("/assets/main-abc.js");
  EXPECT_EQ(script.status, 200u);
  EXPECT_EQ(script.content(), "script");
  EXPECT_EQ(header(script, "content-type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(header(script, "cache-control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(header(script, "etag"), "\"" + sha256_hex("script").substr(0, 32) + "\"");
  EXPECT_EQ(header(script, "vary"), "accept-encoding");
  EXPECT_EQ(header(script, "accept-ranges"), "none");
  EXPECT_FALSE(script.headers.find("content-encoding"));
  const HttpResponse index = get("/", {{"accept-encoding", "gzip, deflate, br"}});
  EXPECT_EQ(index.content(), "br of index");
  EXPECT_EQ(header(index, "content-encoding"), "br");
  EXPECT_EQ(header(index, "cache-control"), "no-cache");
  EXPECT_EQ(header(index, "etag"), "\"" + sha256_hex("<!doctype html>").substr(0, 32) + "-br\"");
  const HttpResponse ranged = get("/icon.svg", {{"range", "bytes=0-1"}});
  EXPECT_EQ(ranged.status, 200u);
  EXPECT_EQ(ranged.content(), "<svg/>");
}

TEST_F(PageFilesTest, EveryAnswerCarriesThePolicy) {
  for (const HttpResponse& response : {get("/"), get("/assets/main-abc.js"), get("/assets/none.js"),
                                       get("/", {{"accept-encoding", "identity;q=0, br;q=0, gzip;q=0"}})}) {
    const std::string policy = header(response, "content-security-policy");
    for (const char* rule : {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'",
                             "base-uri 'none'", "require-trusted-types-for 'script'"})
      EXPECT_NE(policy.find(rule), std::string::npos) << rule;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(header(response, "x-content-type-options"), "nosniff");
    EXPECT_EQ(header(response, "referrer-policy"), "no-referrer");
    EXPECT_EQ(header(response, "cross-origin-opener-policy"), "same-origin");
    EXPECT_EQ(header(response, "cross-origin-resource-policy"), "same-origin");
    EXPECT_NE(header(response, "permissions-policy").find("publickey-credentials-get=(self)"), std::string::npos);
  }
}

TEST_F(PageFilesTest, TheWindowForAppsAloneKeepsItsOpener) {
  put("connect.html", "<!doctype html><title>Connect</title>");
  put("provider.js", "provider");
  list_all();
  const HttpResponse window = get("/connect");
  EXPECT_EQ(window.content(), "<!doctype html><title>Connect</title>");
  EXPECT_EQ(header(window, "cross-origin-opener-policy"), "unsafe-none");
  EXPECT_NE(header(window, "content-security-policy").find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(header(window, "x-frame-options"), "DENY");
  EXPECT_EQ(header(window, "cross-origin-resource-policy"), "same-origin");
  for (const char* other :
       {"/", "/home", "/connect/", "/connect/x", "/connect.html", "/provider.js", "/%63onnect.html"})
    EXPECT_EQ(header(get(other), "cross-origin-opener-policy"), "same-origin") << other;
  const HttpResponse script = get("/provider.js");
  EXPECT_EQ(script.content(), "provider");
  EXPECT_EQ(header(script, "access-control-allow-origin"), "*");
  EXPECT_EQ(header(script, "cross-origin-resource-policy"), "cross-origin");
  EXPECT_EQ(header(script, "cache-control"), "no-cache");
  EXPECT_FALSE(header(script, "etag").empty());
  for (const char* other : {"/", "/connect", "/assets/main-abc.js"})
    EXPECT_EQ(header(get(other), "access-control-allow-origin"), "") << other;
}

TEST_F(PageFilesTest, WithoutItsFileThereIsNoWindowForApps) { EXPECT_EQ(get("/connect").status, 404u); }

TEST_F(PageFilesTest, ViewsGetTheIndexAndNothingElseDoes) {
  for (const char* path : {"/", "/register", "/wallets/1", "/login?from=%2Fwallets", "/%E7%9A%84", "/apiary"})
    EXPECT_EQ(get(path).content(), "<!doctype html>") << path;
  for (const char* path : {"/assets/gone-123.js", "/assets/", "/favicon.ico", "/health/x", "/metrics/x", "/control/x",
                           "/..%2f..%2fetc/pass.wd", "/index.html/x.js"})
    EXPECT_EQ(get(path).status, 404u) << path;
  EXPECT_EQ(get("/%zz").status, 400u);
  EXPECT_EQ(get("/index%00.html").status, 400u);
  for (const char* path : {"/api", "/api/", "/api/v1/nothing", "/%61pi/v1/nothing"}) {
    const HttpResponse response = get(path);
    EXPECT_EQ(response.status, 404u) << path;
    EXPECT_EQ(header(response, "content-type"), "application/problem+json") << path;
    EXPECT_NE(response.content().find("urn:community-node:problem:not-found"), std::string::npos) << path;
  }
}

TEST_F(PageFilesTest, OnlyReadingMethodsAreAnswered) {
  EXPECT_EQ(get("/", {}, "HEAD").status, 200u);
  for (const char* method : {"POST", "PUT", "DELETE", "TRACE"}) {
    const HttpResponse response = get("/register", {}, method);
    EXPECT_EQ(response.status, 405u) << method;
    EXPECT_EQ(header(response, "allow"), "GET, HEAD");
  }
}

TEST_F(PageFilesTest, ACopyThatIsStillRightIsNotSentAgain) {
  const std::string tag = header(get("/"), "etag");
  const std::string packed = header(get("/", {{"accept-encoding", "br"}}), "etag");
  EXPECT_NE(tag, packed) << "a strong tag is of one coding";
  for (const std::string& field : {tag, "W/" + tag, "\"other\", " + tag, tag + ",\"other\"", std::string("*")}) {
    const HttpResponse response = get("/", {{"if-none-match", field}});
    EXPECT_EQ(response.status, 304u) << field;
    EXPECT_TRUE(response.content().empty());
    EXPECT_EQ(header(response, "etag"), tag);
    EXPECT_EQ(header(response, "cache-control"), "no-cache");
    EXPECT_EQ(header(response, "vary"), "accept-encoding");
  }
  for (const std::string& field : {packed, std::string("\"\""), tag.substr(1), std::string(",,,"), std::string(" ")})
    EXPECT_EQ(get("/", {{"if-none-match", field}}).status, 200u) << field;
}

TEST_F(PageFilesTest, TheBestCodingOfBothSidesIsTaken) {
  const PageFileMap files = *read_page(folder_, {});
  const PageFile &all = files.at("/index.html"), &packed = files.at("/assets/main-abc.js"),
                 &plain = files.at("/icon.svg");
  using C = ContentCoding;
  struct Row {
    const char* field;
    std::optional<C> all, packed, plain;
  };
  const Row rows[] = {
      {"br", C::br, C::identity, C::identity},
      {"gzip, deflate, br, zstd", C::br, C::gzip, C::identity},
      {"GZIP", C::gzip, C::gzip, C::identity},
      {"x-gzip", C::gzip, C::gzip, C::identity},
      {"gzip;q=1.0, br;q=0.5", C::gzip, C::gzip, C::identity},
      {"gzip ; q=0.2 , br;Q=0.25", C::br, C::gzip, C::identity},
      {"br;q=0", C::identity, C::identity, C::identity},
      {"", C::identity, C::identity, C::identity},
      {" , ,", C::identity, C::identity, C::identity},
      {"*", C::br, C::gzip, C::identity},
      {"*;q=0", std::nullopt, std::nullopt, std::nullopt},
      {"*;q=0, gzip", C::gzip, C::gzip, std::nullopt},
      {"identity;q=0, br", C::br, std::nullopt, std::nullopt},
      {"identity;q=1, gzip;q=0.5", C::identity, C::identity, C::identity},
      {"deflate", C::identity, C::identity, C::identity},
      // What follows no grammar is as if it were not there.
      {"br;q=2", C::identity, C::identity, C::identity},
      {"br;q=0.1234", C::identity, C::identity, C::identity},
      {"br;q=", C::identity, C::identity, C::identity},
      {"br;level=1", C::identity, C::identity, C::identity},
      {"br gzip", C::identity, C::identity, C::identity},
      {"br;q=-1", C::identity, C::identity, C::identity},
      {"br;q=1.001", C::identity, C::identity, C::identity},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(choose_coding(row.field, all), row.all) << row.field;
    EXPECT_EQ(choose_coding(row.field, packed), row.packed) << row.field;
    EXPECT_EQ(choose_coding(row.field, plain), row.plain) << row.field;
  }
  EXPECT_EQ(choose_coding(std::nullopt, all), C::identity);
  const HttpResponse none = get("/icon.svg", {{"accept-encoding", "*;q=0"}});
  EXPECT_EQ(none.status, 406u);
}

TEST_F(PageFilesTest, WithoutAPageTheFirstVisitorIsToldHowToBuildIt) {
  const auto door = make_door_without_page("there is no folder build/page");
  const auto ask = [&](const std::string& target) {
    infra::HttpRequest request;
    request.target = target;
    return loop_.block_on(door->handler()(std::move(request)));
  };
  const HttpResponse response = ask("/");
  EXPECT_EQ(response.status, 503u);
  EXPECT_NE(response.content().find("there is no folder build/page"), std::string::npos);
  EXPECT_NE(response.content().find("make page"), std::string::npos);
  EXPECT_EQ(ask("/assets/x.js").status, 404u);
  EXPECT_EQ(header(ask("/api/v1/x"), "content-type"), "application/problem+json");
}

TEST_F(PageFilesTest, ANodeServesOnWithoutItsPageAndNamesNoPathOfItsMachine) {
  const auto ask = [&](PageDoor& door) {
    infra::HttpRequest request;
    return loop_.block_on(door.handler()(std::move(request)));
  };
  EXPECT_EQ(ask(*open_page_door(folder_)).content(), "<!doctype html>");
  put("icon.svg", "<svg>other</svg>");
  const HttpResponse changed = ask(*open_page_door(folder_));
  EXPECT_EQ(changed.status, 503u);
  EXPECT_NE(changed.content().find("not what the build made"), std::string::npos);
  fs::remove_all(folder_);
  const HttpResponse gone = ask(*open_page_door(folder_));
  EXPECT_EQ(gone.status, 503u);
  EXPECT_NE(gone.content().find("is not there"), std::string::npos);
  for (const HttpResponse& response : {changed, gone})
    EXPECT_EQ(response.content().find(scratch_.path().string()), std::string::npos);
}

}  // namespace
}  // namespace community::gateway
