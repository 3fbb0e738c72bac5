// SPDX-License-Identifier: Apache-2.0
// What the operator sees and does about people.
#include "community/users/test_support/people_world.hpp"

namespace community::users::test_support {
namespace {

class OperatorTest : public PeopleTest {
 protected:
  OperatorTest() { desk = make_users_operator(*database, clock, journal); }
  std::unique_ptr<UsersOperator> desk;
};

TEST_F(OperatorTest, PeopleAreListedPageByPageWithoutTheirAddresses) {
  std::set<std::string> made;
  for (std::uint8_t i = 1; i <= 5; i++)
    made.insert(register_person("p" + std::to_string(i) + "@example.com", Device(i)).logged_in.person.user_id);
  std::set<std::string> seen;
  std::string after;
  for (;;) {
    const auto page = wait(desk->list(after, 2));
    ASSERT_TRUE(page);
    if (page->empty()) break;
    EXPECT_LE(page->size(), 2u);
    for (const PersonSummary& one : *page) {
      EXPECT_TRUE(seen.insert(one.user_id).second);
      EXPECT_EQ(one.passkeys, 1u);
      EXPECT_EQ(one.wallets, 1u);
      EXPECT_EQ(one.sessions, 1u);
      EXPECT_EQ(one.last_used_ms, clock.now_ms());
    }
    after = page->back().user_id;
  }
  EXPECT_EQ(seen, made);
  EXPECT_EQ(wait(desk->list({}, 0)).error().code, ErrorCode::field_invalid);
  EXPECT_EQ(wait(desk->list({}, kMaxPeoplePage + 1)).error().code, ErrorCode::field_invalid);
}

TEST_F(OperatorTest, SomebodyIsFoundByTheAddressAsRegistrationsCompareIt) {
  const std::string id = register_person("Ada@Example.com", Device()).logged_in.person.user_id;
  EXPECT_EQ(wait(desk->find("ada@EXAMPLE.com")).value(), id);
  EXPECT_EQ(wait(desk->find("eve@example.com")).error().code, ErrorCode::not_found);
  EXPECT_EQ(wait(desk->find("no address")).error().code, ErrorCode::field_invalid);
  EXPECT_EQ(wait(desk->show(id))->user_id, id);
  EXPECT_EQ(wait(desk->show("x")).error().code, ErrorCode::not_found);
}

TEST_F(OperatorTest, WhoIsLockedIsOutAndStaysOutUntilUnlocked) {
  const Device device;
  const Registered ada = register_person("ada@example.com", device);
  const std::string id = ada.logged_in.person.user_id;
  ASSERT_TRUE(wait(desk->set_active(id, false)));
  ASSERT_TRUE(wait(desk->set_active(id, false)));
  EXPECT_EQ(wait(people->identify(ada.logged_in.session.token)).error().code, ErrorCode::not_logged_in);
  EXPECT_EQ(log_in(device.get(people->begin_log_in())).error().code, ErrorCode::passkey_refused);
  EXPECT_FALSE(wait(desk->show(id))->is_active);
  EXPECT_EQ(wait(desk->show(id))->sessions, 0u);
  ASSERT_TRUE(wait(desk->set_active(id, true)));
  EXPECT_EQ(wait(people->identify(ada.logged_in.session.token)).error().code, ErrorCode::not_logged_in);
  EXPECT_TRUE(log_in(device.get(people->begin_log_in())));
  const auto told = events();
  EXPECT_EQ(std::count(told.begin(), told.end(), "ProfileChanged"), 2) << "the second lock changed nothing";
  EXPECT_EQ(std::count(told.begin(), told.end(), "SessionRevoked"), 1);
  EXPECT_EQ(wait(desk->set_active("x", false)).error().code, ErrorCode::not_found);
}

TEST_F(OperatorTest, SessionsEndAndThePersonGoesOn) {
  const Device device;
  const std::string id = register_person("ada@example.com", device).logged_in.person.user_id;
  const std::string eve = register_person("eve@example.com", Device(2)).logged_in.session.token;
  ASSERT_TRUE(log_in(device.get(people->begin_log_in())));
  EXPECT_EQ(wait(desk->end_sessions(id)).value(), 2u);
  EXPECT_EQ(wait(desk->end_sessions(id)).value(), 0u);
  EXPECT_TRUE(log_in(device.get(people->begin_log_in())));
  EXPECT_TRUE(wait(people->identify(eve)));
  EXPECT_EQ(wait(desk->end_sessions("x")).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace community::users::test_support
