// SPDX-License-Identifier: Apache-2.0
#include "community/apps/api/origin.hpp"

#include <gtest/gtest.h>

#include <string>

namespace community::apps {
namespace {

TEST(Origin, IsWhatABrowserWrites) {
  for (const char* good : {"https://game.example", "https://game.example:8443", "https://xn--bcher-kva.example",
                           "https://203.0.113.7", "https://[2001:db8::7]:8443", "https://_a.example",
                           "http://localhost", "http://localhost:5173", "http://game.localhost:5173",
                           "http://127.0.0.1:9100", "http://[::1]:9100", "https://localhost", "https://example"})
    EXPECT_TRUE(is_app_origin(good)) << good;
}

TEST(Origin, AnythingElseIsNone) {
  for (const char* bad : {"",
                          "null",
                          "https://",
                          "https:///",
                          "https://game.example/",
                          "https://game.example/path",
                          "https://Game.example",
                          "https://game.example:443",
                          "https://game.example:",
                          "https://game.example:0",
                          "https://game.example:08443",
                          "https://game.example:65536",
                          "https://game.example:80x",
                          "https://bücher.example",
                          "https://user@game.example",
                          "https://game..example",
                          "https://.example",
                          "https://game.example.",
                          "https://-game.example",
                          "https://game.example?q",
                          "https://game.example#",
                          "https://game example",
                          "https://1.2.3",
                          "https://1.2.3.256",
                          "https://1.2.3.04",
                          "https://0x7f.1",
                          "https://[2001:DB8::7]",
                          "https://[2001:db8:0::7]",
                          "https://[::1%lo]",
                          "https://[::1",
                          "https://::1",
                          "https://[]",
                          "http://game.example",
                          "http://192.168.0.2",
                          "http://128.0.0.1",
                          "http://localhost.example",
                          "http://127.example",
                          "http://localhost:80",
                          "ws://localhost",
                          "file://",
                          "chrome-extension://abcdefghijklmnop",
                          "https://game.example\n",
                          "javascript:alert(1)"})
    EXPECT_FALSE(is_app_origin(bad)) << bad;
  EXPECT_FALSE(is_app_origin(std::string("https://a\0b.example", 19)));
  EXPECT_FALSE(is_app_origin("https://" + std::string(64, 'a') + ".example"));
  std::string longest = "https://";
  for (int i = 0; i < 63; i++) longest += "abc.";
  EXPECT_TRUE(is_app_origin(longest + "d"));
  EXPECT_FALSE(is_app_origin(longest + "de"));
}

}  // namespace
}  // namespace community::apps
