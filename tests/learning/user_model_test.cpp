#define CAF_SUITE user_model
#include "learning/user_model.hpp"
#include "tests/learning/stories.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::learning;

namespace {

user_model_config small_model() {
  user_model_config config;
  config.counts.pair_rows = 1 << 10;
  return config;
}

access_log walked_log(size_t users = 100, size_t steps = 40) {
  log_builder builder;
  walk(users, steps, 1, [&](auto user, auto item, auto time) { builder.add(user, item, "here", time); });
  return builder.take(true);
}

const training_config quick = quick_training(3, 1500);

const model_parts& trained() {
  static const model_parts parts = [] {
    auto result = train_parts(walked_log(), quick);
    CAF_REQUIRE(result);
    return std::move(*result);
  }();
  return parts;
}

user_model walked_model() {
  user_model model{small_model()};
  walk(100, 30, 1, [&](auto user, auto item, auto time) { model.observe(user, item, 0, time); });
  return model;
}

double recall_1(user_model& model) {
  double hits = 0, asked = 0;
  std::unordered_map<std::string, std::string> said;
  walk(100, 40, 1, [&](auto user, auto item, auto time) {
    if (auto last = said.find(user); last != said.end() && time > 1'000'000 + 30'000) {
      ++asked;
      hits += last->second == item;
    }
    model.observe(user, item, 0, time);
    auto& guesses = model.predict(user);
    said[user] = guesses.empty() ? "" : model.item_name(guesses[0].item);
  });
  return hits / asked;
}

} // namespace

CAF_TEST(nothing_is_said_about_an_unknown_user) {
  user_model model{small_model()};
  CAF_CHECK(model.predict("nobody").empty());
  CAF_CHECK(!model.forget("nobody"));
}

CAF_TEST(guesses_are_good_before_any_training) {
  user_model model{small_model()};
  CAF_CHECK_GREATER(recall_1(model), 0.6);
}

CAF_TEST(trained_parts_know_how_good_they_are_and_say_what_comes_true) {
  const auto& parts = trained();
  CAF_CHECK_GREATER(parts.quality.recall_20, 0.8);
  CAF_CHECK_GREATER(parts.quality.predictions, 100u);
  user_model model{small_model()};
  model.adopt(parts);
  CAF_CHECK_GREATER(recall_1(model), 0.75);
  auto& guesses = model.predict("user3");
  CAF_REQUIRE(!guesses.empty());
  CAF_CHECK_GREATER(guesses[0].next, 0.5f);
  CAF_CHECK_LESS(guesses[0].next, 1.0f);
  for (size_t k = 1; k < guesses.size(); ++k)
    CAF_CHECK(guesses[k - 1].next >= guesses[k].next);
}

CAF_TEST(parts_go_through_a_file_and_fit_a_node_that_met_the_items_in_another_order) {
  auto file = to_file(trained());
  auto parts = parts_from_file(file);
  CAF_REQUIRE(parts);
  user_model here{small_model()}, there{small_model()};
  for (int k = 49; k >= 0; --k)
    there.observe("other", "page/" + std::to_string(k), 0, 999'000);
  here.adopt(*parts);
  there.adopt(*parts);
  for (auto page : {11, 12, 13}) {
    here.observe("u", "page/" + std::to_string(page), 0, 1'000'000);
    there.observe("u", "page/" + std::to_string(page), 0, 1'000'000);
  }
  std::vector<float> a = here.find("u")->state, b = there.find("u")->state;
  CAF_CHECK_EQUAL(a, b);
}

CAF_TEST(files_that_cannot_be_used_are_named_and_the_old_model_stays) {
  auto file = to_file(trained());
  auto complaint = [](std::string_view bytes) {
    auto parts = parts_from_file(bytes);
    return parts ? std::string{"accepted"} : sentence_of(parts.error());
  };
  CAF_CHECK(complaint({}).find("truncated") != std::string::npos);
  CAF_CHECK(complaint(std::string_view{file}.substr(0, file.size() - 1)).find("truncated") != std::string::npos);
  CAF_CHECK(complaint(std::string(1000, 'x')).find("not a model") != std::string::npos);
  for (size_t at : {file.size() / 2, file.size() - 1, size_t{40}}) {
    auto corrupted = file;
    corrupted[at] = static_cast<char>(corrupted[at] ^ 1);
    CAF_CHECK(complaint(corrupted).find("corrupted") != std::string::npos);
  }
  auto future = file;
  future[12] = 9;
  CAF_CHECK(complaint(future).find("newer") != std::string::npos);
  auto model = walked_model();
  CAF_CHECK(complaint(model.to_file()).find("holds a state") != std::string::npos);
  auto before = model.predict("user1").size();
  CAF_CHECK(model.restore(future));
  CAF_CHECK_EQUAL(model.predict("user1").size(), before);
}

CAF_TEST(what_was_learned_online_survives_a_restart) {
  auto model = walked_model();
  auto expected = model.predict("user3");
  user_model restored{small_model()};
  CAF_REQUIRE(!restored.restore(model.to_file()));
  CAF_CHECK_EQUAL(restored.users(), model.users());
  auto& guesses = restored.predict("user3");
  CAF_REQUIRE_EQUAL(guesses.size(), expected.size());
  for (size_t k = 0; k < guesses.size(); ++k)
    CAF_CHECK_EQUAL(restored.item_name(guesses[k].item), model.item_name(expected[k].item));
}

CAF_TEST(a_forgotten_user_leaves_no_history_behind) {
  auto model = walked_model();
  model.observe("secret", "page/1", 0, 2'000'000);
  model.observe("secret", "private/x", 0, 2'000'001);
  model.observe("secret", "private/y", 0, 2'000'002);
  CAF_REQUIRE(!model.predict("secret").empty());
  CAF_CHECK(model.forget("secret"));
  CAF_CHECK(model.find("secret") == nullptr);
  CAF_CHECK(model.predict("secret").empty());
  CAF_CHECK_EQUAL(model.to_file().find("secret"), std::string::npos);
  auto after = model.counts().after(model.item_index("private/x"));
  CAF_REQUIRE(after != nullptr);
  CAF_CHECK_EQUAL(after->used, 0u);
}

CAF_TEST(predictions_of_one_user_are_followed_up_side_by_side) {
  user_model_config config;
  config.track_every = 1;
  user_model model{config};
  for (uint32_t k = 0; k < 60; ++k)
    model.observe("crowd/" + std::to_string(k % 7), "popular/" + std::to_string(k % 30), 0, 1'000'000 + k);
  for (uint32_t k = 0; k < 20; ++k) {
    model.observe("reader", "own/" + std::to_string(k), 0, 1'000'100 + k);
    CAF_CHECK(!model.predict("reader").empty());
  }
  // Of 20 predictions, 10 have seen the ten accesses that settle them; one at a time would have settled 1.
  CAF_CHECK_GREATER(model.outcomes(), 5 * config.guesses);
  CAF_CHECK(model.forget("reader"));
  model.observe("crowd/1", "popular/1", 0, 1'000'000 + config.window.seconds + 1000);
  CAF_CHECK_LESS(model.outcomes(), 11 * config.guesses);
}

CAF_TEST(too_little_to_train_on_is_refused) {
  auto result = train_parts(walked_log(20, 2), quick);
  CAF_CHECK_EQUAL(code_of(result.error()), ec::invalid_argument);
}
