// SPDX-License-Identifier: Apache-2.0
// Classes, and the operator's section of the configuration.
#include "community/alarms/api/alarm_rules.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "community/accounts/api/account_watcher.hpp"
#include "community/accounts/api/self_calls.hpp"
#include "community/infra/api/config.hpp"

namespace community::alarms {
namespace {

using accounts::AccountEvent;
using accounts::ItemKind;
using accounts::Loudness;

AccountEvent event(std::string name, Loudness loudness = Loudness::alarm) {
  AccountEvent one;
  one.name = std::move(name);
  one.loudness = loudness;
  return one;
}

AccountEvent item(std::string name, ItemKind kind, Bytes call = {}) {
  AccountEvent one = event(std::move(name));
  one.fields.push_back(
      {"kind", core::parse_abi_type("uint8").value(), core::AbiValue(static_cast<std::uint64_t>(kind))});
  one.fields.push_back({"call", core::parse_abi_type("bytes").value(), core::AbiValue(std::move(call))});
  return one;
}

// The call that the account makes to itself, without execute() around it.
AccountEvent queued(const accounts::Queued& content) {
  const auto function = core::parse_abi_function("queue(uint8,bytes,uint256)").value();
  return item("ItemStarted", ItemKind::queued,
              function
                  .encode({core::AbiValue(static_cast<std::uint64_t>(content.kind)), core::AbiValue(content.content),
                           core::AbiValue(content.salt)})
                  .value());
}

TEST(AlarmRules, EveryLoudEventHasAClass) {
  std::stringstream source;
  source << std::ifstream(std::string(COMMUNITY_SOURCE_DIR) + "/community/accounts/events.cpp").rdbuf();
  const std::string text = source.str();
  const std::regex loud(R"re(\{"(\w+)\([^"]*\)", Loudness::alarm\})re");
  std::size_t count = 0;
  for (std::sregex_iterator found(text.begin(), text.end(), loud), end; found != end; ++found, ++count) {
    const std::string name = (*found)[1];
    EXPECT_TRUE(alarm_class_of(event(name))) << name;
  }
  EXPECT_GT(count, 15u);
  EXPECT_EQ(alarm_class_of(event(std::string(accounts::kUnknownSubmitter))), AlarmClass::unknown_submitter);
}

TEST(AlarmRules, WhatIsNotLoudIsNoAlarm) {
  EXPECT_FALSE(alarm_class_of(event("FirstUse", Loudness::notice)));
  // The first keys of an account that is made.
  EXPECT_FALSE(alarm_class_of(event("PasskeyAdded", Loudness::quiet)));
  EXPECT_FALSE(alarm_class_of(event("NoSuchEvent")));
}

TEST(AlarmRules, AnItemIsWhatItWouldDo) {
  const std::pair<ItemKind, AlarmClass> started[] = {
      {ItemKind::unfreeze, AlarmClass::unfreeze_started},        {ItemKind::change_keys, AlarmClass::key_change_queued},
      {ItemKind::change_rules, AlarmClass::rules_change_queued}, {ItemKind::escape, AlarmClass::escape_started},
      {ItemKind::recover, AlarmClass::recovery_started},         {ItemKind::upgrade, AlarmClass::upgrade_queued}};
  for (const auto& [kind, what] : started) EXPECT_EQ(alarm_class_of(item("ItemStarted", kind)), what);
  const std::pair<ItemKind, AlarmClass> finished[] = {
      {ItemKind::unfreeze, AlarmClass::unfrozen},          {ItemKind::change_keys, AlarmClass::keys_changed},
      {ItemKind::change_rules, AlarmClass::rules_changed}, {ItemKind::escape, AlarmClass::keys_changed},
      {ItemKind::recover, AlarmClass::keys_changed},       {ItemKind::queued, AlarmClass::queue_confirmed}};
  for (const auto& [kind, what] : finished) EXPECT_EQ(alarm_class_of(item("ItemFinished", kind)), what);
}

TEST(AlarmRules, WhatIsQueuedIsReadFromItsCall) {
  const Uint256 salt(1);
  accounts::Call call;
  call.to = Address{5};
  EXPECT_EQ(alarm_class_of(queued(*accounts::queued_spend({call}, salt))), AlarmClass::spend_queued);
  EXPECT_EQ(alarm_class_of(queued(accounts::queued_limit({}, Uint256(9), salt))), AlarmClass::limit_queued);
  EXPECT_EQ(alarm_class_of(queued(accounts::queued_gas_cap(Uint256(9), salt))), AlarmClass::limit_queued);
  EXPECT_EQ(alarm_class_of(queued(accounts::queued_domain({}, salt))), AlarmClass::domain_queued);
  EXPECT_EQ(alarm_class_of(queued(accounts::queued_allowed_call(Address{5}, {1, 2, 3, 4}, salt))),
            AlarmClass::call_queued);
  EXPECT_EQ(alarm_class_of(item("ItemStarted", ItemKind::queued, {1, 2})), AlarmClass::spend_queued);
}

TEST(AlarmRules, NothingFreezesUnlessTheOperatorSaysSo) {
  AlarmRules rules;
  EXPECT_FALSE(rules.any_freezes());
  for (std::size_t i = 0; i < kAlarmClasses; i++)
    EXPECT_EQ(rules.action(static_cast<AlarmClass>(i)), AlarmAction::alarm);
  EXPECT_TRUE(rules.set(AlarmClass::escape_started, AlarmAction::freeze));
  EXPECT_TRUE(rules.any_freezes());
  EXPECT_EQ(rules.action(AlarmClass::escape_started), AlarmAction::freeze);
}

TEST(AlarmRules, AFreezeIsNotAnsweredWithAFreeze) {
  AlarmRules rules;
  for (const AlarmClass what : {AlarmClass::frozen, AlarmClass::server_frozen, AlarmClass::unfrozen}) {
    EXPECT_FALSE(rules.set(what, AlarmAction::freeze));
    EXPECT_EQ(rules.action(what), AlarmAction::alarm);
    EXPECT_TRUE(rules.set(what, AlarmAction::log));
  }
}

TEST(AlarmRules, TheConfigurationHasEachClassAndItsActions) {
  const auto schema = infra::standard_config_schema();
  std::size_t rows = 0;
  for (const infra::ConfigKey& key : schema.keys()) rows += key.path.starts_with("alarms.") ? 1 : 0;
  EXPECT_EQ(rows, kAlarmClasses);
  for (std::size_t i = 0; i < kAlarmClasses; i++) {
    const auto what = static_cast<AlarmClass>(i);
    const infra::ConfigKey* key = schema.find("alarms." + std::string(name(what)));
    ASSERT_NE(key, nullptr) << name(what);
    EXPECT_EQ(key->standard, "alarm");
    for (const AlarmAction action : {AlarmAction::log, AlarmAction::alarm, AlarmAction::freeze}) {
      AlarmRules rules;
      const bool is_choice = std::ranges::find(key->choices, name(action)) != key->choices.end();
      EXPECT_EQ(is_choice, rules.set(what, action)) << name(what) << " " << name(action);
    }
  }
}

TEST(AlarmRules, AMistakeInTheConfigurationIsNamed) {
  const auto load = [](std::string_view toml) { return infra::Config::load(infra::standard_config_schema(), toml); };
  const auto misspelt = load("[alarms]\nescape_startd = \"freeze\"\n");
  ASSERT_FALSE(misspelt);
  EXPECT_EQ(misspelt.error().code, infra::ErrorCode::config_unknown_key);
  EXPECT_NE(misspelt.error().message.find("alarms.escape_started"), std::string::npos);
  const auto no_action = load("[alarms]\nescape_started = \"panic\"\n");
  ASSERT_FALSE(no_action);
  EXPECT_EQ(no_action.error().code, infra::ErrorCode::config_value);
  EXPECT_NE(no_action.error().message.find("log, alarm, freeze"), std::string::npos);
  const auto endless = load("[alarms]\nserver_frozen = \"freeze\"\n");
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, infra::ErrorCode::config_value);
}

TEST(AlarmRules, NamesAreReadBack) {
  for (std::size_t i = 0; i < kAlarmClasses; i++)
    EXPECT_EQ(parse_alarm_class(name(static_cast<AlarmClass>(i))), static_cast<AlarmClass>(i));
  EXPECT_FALSE(parse_alarm_class("panic"));
  EXPECT_EQ(parse_alarm_action("freeze"), AlarmAction::freeze);
  EXPECT_FALSE(parse_alarm_action("Freeze"));
}

}  // namespace
}  // namespace community::alarms
