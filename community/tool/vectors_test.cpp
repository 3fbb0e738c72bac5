// SPDX-License-Identifier: Apache-2.0
// Answers of other implementations (tests/vectors/*.jsonl) through the tool's one door. COMMUNITY_VECTOR_DIR names
// another folder, such as one with the complete suites.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "community/core/json.hpp"
#include "community/tool/api/tool.hpp"

namespace community::tool {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

fs::path vector_dir() {
  const char* other = std::getenv("COMMUNITY_VECTOR_DIR");
  return other != nullptr ? fs::path(other) : fs::path(COMMUNITY_SOURCE_DIR) / "tests" / "vectors";
}

json::value parse(std::string_view text) {
  return core::parse_json(text, {.max_bytes = kMaxLineBytes, .max_depth = 320, .long_integers_as_text = true}).value();
}

// What is wrong with the answer to this vector, or nothing.
std::string difference(const json::object& vector, const json::object& answer) {
  if (vector.contains("error")) return answer.contains("error") ? "" : "accepted";
  if (vector.contains("skip")) return answer.contains("skip") ? "" : "not skipped";
  if (!answer.contains("out")) return json::serialize(answer);
  for (const auto& member : vector.at("out").as_object()) {
    const json::value* ours = answer.at("out").as_object().if_contains(member.key());
    if (ours == nullptr || *ours != member.value())
      return std::string(member.key()) + " is " + (ours == nullptr ? "absent" : json::serialize(*ours));
  }
  return "";
}

class Vectors : public testing::TestWithParam<const char*> {};

TEST_P(Vectors, AnswerAsOtherImplementationsDo) {
  std::ifstream file(vector_dir() / (std::string(GetParam()) + ".jsonl"));
  ASSERT_TRUE(file) << "the vectors " << GetParam() << " are missing";
  std::vector<json::object> vectors;
  std::stringstream in, out;
  for (std::string line; std::getline(file, line);) {
    vectors.push_back(parse(line).get_object());
    in << json::serialize(
              json::object{{"id", vectors.size() - 1}, {"op", vectors.back()["op"]}, {"in", vectors.back()["in"]}})
       << '\n';
  }
  ASSERT_GT(vectors.size(), 20u);
  ASSERT_EQ(run_tool(in, out), 0);
  std::size_t answered = 0;
  int shown = 0;
  for (std::string line; std::getline(out, line); answered++) {
    const json::object answer = parse(line).get_object();
    const json::object& vector = vectors.at(answer.at("id").to_number<std::size_t>());
    const std::string what = difference(vector, answer);
    if (!what.empty() && shown++ < 5) ADD_FAILURE() << what << "\n" << json::serialize(vector).substr(0, 2000);
  }
  EXPECT_EQ(answered, vectors.size());
}

INSTANTIATE_TEST_SUITE_P(Suite, Vectors,
                         testing::Values("abi", "accounts", "bip32", "bip39", "geohash", "hashes", "packed", "rlp",
                                         "transactions", "typed_data", "user_operations", "wallets", "webauthn",
                                         "webauthn_level3", "wycheproof_agreement", "wycheproof_ecdsa",
                                         "wycheproof_symmetric"),
                         [](const auto& suite) { return std::string(suite.param); });

}  // namespace
}  // namespace community::tool
