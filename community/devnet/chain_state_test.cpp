// SPDX-License-Identifier: Apache-2.0
// A development chain that was killed while it wrote its state starts again.
#include "community/devnet/api/chain_state.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "community/infra/fake/temporary_directory.hpp"

namespace community::devnet {
namespace {

namespace fs = std::filesystem;

TEST(WholeJson, AnyShorterTextIsTorn) {
  const std::string whole = R"({"block":{"n":[1,{"a":"}]{\"\\"}]},"accounts":{"0x1":{"code":"0x"}}})";
  EXPECT_TRUE(is_whole_json_object(whole));
  EXPECT_TRUE(is_whole_json_object(whole + "\n"));
  for (std::size_t size = 0; size < whole.size(); size++)
    EXPECT_FALSE(is_whole_json_object(std::string_view(whole).substr(0, size))) << size;
}

TEST(WholeJson, SomethingBehindOrBeforeTheObjectIsNoState) {
  for (const char* text : {"{}}", "{}{}", "[]", "null", "\"{}\"", "]", " {}"}) EXPECT_FALSE(is_whole_json_object(text));
}

class ChainState : public ::testing::Test {
 protected:
  void write(std::string_view text) {
    std::ofstream(path) << text;
    // The clock of the file system may be coarse; a copy is made when the time differs.
    fs::last_write_time(path, fs::file_time_type(fs::file_time_type::duration(++time_)));
  }
  std::string read() const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  infra::TemporaryDirectory folder_;
  const fs::path path = folder_.path() / "chain.json";
  ChainStateFile state{path};

 private:
  int time_ = 0;
};

TEST_F(ChainState, TheLastWholeOneComesBack) {
  write(R"({"block":1})");
  state.keep_copy();
  write(R"({"block":2})");
  state.keep_copy();
  write(R"({"block":3,"acc)");
  state.keep_copy();
  EXPECT_TRUE(ChainStateFile(path).repair());
  EXPECT_EQ(read(), R"({"block":2})");
}

TEST_F(ChainState, AWholeFileStaysAsItIs) {
  write(R"({"block":1})");
  state.keep_copy();
  write(R"({"block":2})");
  EXPECT_FALSE(state.repair());
  EXPECT_EQ(read(), R"({"block":2})");
}

TEST_F(ChainState, ATornFirstFileIsRemoved) {
  write("{");
  state.keep_copy();
  EXPECT_TRUE(state.repair());
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(ChainState, NothingIsNothing) {
  state.keep_copy();
  EXPECT_FALSE(state.repair());
}

}  // namespace
}  // namespace community::devnet
