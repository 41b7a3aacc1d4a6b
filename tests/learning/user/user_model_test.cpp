#define CAF_SUITE user_model
#include "learning/user/user_model.hpp"
#include "tests/learning/stories.hpp"

#include <caf/test/dsl.hpp>

#include <array>
#include <map>
#include <random>
#include <set>

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
  CAF_CHECK_EQUAL(restored.item_name(guesses[0].item), model.item_name(expected[0].item));
  std::set<std::string> names, names_before;
  for (size_t k = 0; k < guesses.size(); ++k) {
    names.emplace(restored.item_name(guesses[k].item));
    names_before.emplace(model.item_name(expected[k].item));
    CAF_CHECK_LESS(std::abs(guesses[k].next - expected[k].next), 0.05f); // guesses that were still open are not kept
  }
  CAF_CHECK(names == names_before);
}

CAF_TEST(a_state_is_written_piece_by_piece_while_learning_goes_on) {
  auto config = small_model();
  config.max_items = 640;
  user_model model{config};
  auto read = [&](int k) {
    auto user = "user" + std::to_string(k % 5);
    model.observe(user, "x/" + std::to_string(k), 0, static_cast<uint32_t>(1'000'000 + 20 * k));
    model.observe(user, "y/" + std::to_string(k), 0, static_cast<uint32_t>(1'000'010 + 20 * k));
  };
  for (int k = 0; k < 5000; ++k)
    read(k);
  std::string file;
  int k = 5000;
  model.begin_saving();
  for (auto piece = model.next_piece(); !piece.empty(); piece = model.next_piece()) {
    file += piece;
    for (int more = 0; more < 7; ++more) // names go and come
      read(k++);
  }
  user_model restored{config};
  CAF_REQUIRE(!restored.restore(file));
  CAF_CHECK_GREATER(restored.items(), 500u);
  for (int known = 4900; known < 4990; ++known) {
    auto after = restored.counts().after(restored.item_index("x/" + std::to_string(known)));
    CAF_REQUIRE(after != nullptr);
    CAF_REQUIRE_EQUAL(after->used, 1u);
    CAF_CHECK_EQUAL(restored.item_name(after->items[0]), "y/" + std::to_string(known));
  }
  for (int again = 0; again < 1000; ++again) { // and go on coming after the restart
    restored.observe("user9", "z/" + std::to_string(again), 0, static_cast<uint32_t>(1'100'000 + again));
    CAF_CHECK(restored.items() <= 640);
  }
}

CAF_TEST(calibration_comes_back_with_the_models_it_belongs_to) {
  auto model = walked_model();
  for (int k = 0; k < 400; ++k)
    model.predict("user" + std::to_string(k % 100));
  model.adopt(trained());
  walk(100, 30, 1, [&](auto user, auto item, auto time) {
    model.observe(user, item, 0, time + 10'000);
    model.predict(user);
  });
  const auto said = model.predict("user3")[0].next;
  user_model restored{small_model()}, other{small_model()};
  CAF_REQUIRE(!restored.restore(model.to_file()));
  restored.adopt(trained());
  CAF_CHECK_LESS(std::abs(restored.predict("user3")[0].next - said), 0.01f); // but for guesses that were still open
  CAF_REQUIRE(!other.restore(model.to_file()));
  auto newer = trained();
  ++newer.version;
  other.adopt(newer);
  CAF_CHECK_EQUAL(other.outcomes(), newer.useful.outcomes());
}

CAF_TEST(a_damaged_state_is_named_and_changes_nothing) {
  auto model = walked_model();
  const auto file = model.to_file();
  user_model other{small_model()};
  auto complaint = [&](const std::string& bytes) {
    auto problem = other.restore(bytes);
    CAF_CHECK_EQUAL(other.users(), 0u);
    return problem ? sentence_of(problem) : std::string{"accepted"};
  };
  CAF_CHECK(complaint("").find("truncated") != std::string::npos);
  for (auto cut : {file.size() - 1, file.size() / 2, size_t{40}, size_t{7}})
    CAF_CHECK(complaint(file.substr(0, cut)).find("truncated") != std::string::npos);
  CAF_CHECK(complaint(file.substr(0, file.size() - 41)).find("last part is missing") != std::string::npos);
  for (size_t at = 33; at < file.size(); at += file.size() / 13) {
    auto corrupted = file;
    corrupted[at] = static_cast<char>(corrupted[at] ^ 1);
    CAF_CHECK_NOT_EQUAL(complaint(corrupted), "accepted");
  }
  CAF_CHECK_NOT_EQUAL(complaint(file + "x"), "accepted");
  CAF_CHECK(!other.restore(file));
  CAF_CHECK_EQUAL(other.users(), model.users());
}

CAF_TEST(the_items_unread_for_the_longest_make_room_and_nothing_is_said_of_them_any_more) {
  auto config = small_model();
  config.max_items = 160;
  user_model model{config};
  auto read = [&](const std::string& item, int k) {
    model.observe("user" + std::to_string(k % 10), item, 0, static_cast<uint32_t>(1'000'000 + k));
  };
  int k = 0;
  for (int round = 0; round < 400; ++round) {
    auto own = std::to_string(round);
    for (int reader = 0; reader < 3; ++reader, ++k) {
      read("x/" + own, k);
      read("y/" + own, k);
      read("often", k);
    }
    CAF_CHECK(model.items() <= 160);
    // What follows x/N is y/N and nothing else, whatever number the two were given.
    auto after = model.counts().after(model.item_index("x/" + own));
    CAF_REQUIRE(after != nullptr);
    CAF_REQUIRE_EQUAL(after->used, 1u);
    CAF_CHECK_EQUAL(model.item_name(after->items[0]), "y/" + own);
    for (auto& guess : model.predict("user" + std::to_string(k % 10)))
      CAF_CHECK(!model.item_name(guess.item).empty());
  }
  CAF_CHECK_NOT_EQUAL(model.item_index("often"), no_index); // the oldest name, and read until now
  CAF_CHECK_EQUAL(model.item_index("x/5"), no_index);
  auto& history = model.find("user0")->history;
  CAF_CHECK_EQUAL(model.item_name(history.ago(0).item), "often");
}

CAF_TEST(models_in_service_do_not_take_a_new_item_for_the_one_whose_number_it_has) {
  auto config = small_model();
  config.max_items = 64;
  user_model model{config};
  model.adopt(trained()); // knows page/0 to page/49
  CAF_REQUIRE_NOT_EQUAL(model.item_index("page/7"), no_index);
  for (int k = 0; k < 500; ++k)
    model.observe("reader", "fresh/" + std::to_string(k), 0, static_cast<uint32_t>(2'000'000 + k));
  CAF_CHECK_EQUAL(model.item_index("page/7"), no_index);
  auto& reader = *model.find("reader");
  for (float part : reader.state)
    CAF_CHECK_EQUAL(part, 0.0f); // no fresh item is known to the network
}

CAF_TEST(past_reads_take_their_place_before_newer_ones) {
  user_model model{small_model()};
  for (uint32_t k = 0; k < 5; ++k)
    model.observe("ann", "live/" + std::to_string(k), 0, 2'000'000 + k);
  for (uint32_t k = 0; k < 60; ++k)
    model.observe_past("ann", "past/" + std::to_string(k), 0, 1'000'000 + k, true);
  model.observe("ann", "live/5", 0, 2'000'005);             // in between
  model.observe_past("ann", "live/5", 0, 2'000'005, false); // an upload may know what was read here
  model.end_past();
  auto& history = model.find("ann")->history;
  CAF_CHECK_EQUAL(model.item_name(history.ago(0).item), "live/5");
  CAF_CHECK_EQUAL(model.item_name(history.ago(5).item), "live/0");
  CAF_CHECK_EQUAL(model.item_name(history.ago(6).item), "past/59");
  auto after = model.counts().after(model.item_index("past/3"));
  CAF_REQUIRE(after != nullptr);
  CAF_CHECK_EQUAL(model.item_name(after->items[0]), "past/4");
  auto last = model.counts().after(model.item_index("live/4"));
  CAF_CHECK_EQUAL(model.item_name(last->items[0]), "live/5"); // not past/59
}

namespace {

/// What a model says of each user's next read after it has learned from `reads` as from an upload; -1 when the first
/// guess is not `expected`.
std::vector<float> after_upload(const std::vector<std::array<std::string, 2>>& reads,
                                const std::map<std::string, std::string>& expected) {
  user_model model{small_model()};
  for (uint32_t k = 0; k < reads.size(); ++k)
    model.observe_past(reads[k][0], reads[k][1], 0, 1'700'000'000 + 10 * k, k + 5000 >= reads.size());
  model.end_past();
  std::vector<float> said;
  for (auto& [user, next] : expected) {
    auto& guesses = model.guesses_about(user, 20);
    CAF_REQUIRE(!guesses.empty());
    const bool right = next.empty() || model.item_name(guesses[0].item) == next;
    said.push_back(right ? guesses[0].next : -1);
  }
  return said;
}

/// Each user goes on by one item at each step, through `items`, the first ones `apart` from each other.
std::vector<float> after_chains(size_t users, size_t steps, size_t items, size_t apart) {
  std::vector<std::array<std::string, 2>> reads;
  std::map<std::string, std::string> next;
  for (size_t step = 0; step <= steps; ++step)
    for (size_t u = 0; u < users; ++u) {
      auto item = "news/" + std::to_string((u * apart + step) % items);
      if (step < steps)
        reads.push_back({"user" + std::to_string(u), item});
      else
        next["user" + std::to_string(u)] = item;
    }
  return after_upload(reads, next);
}

} // namespace

CAF_TEST(an_upload_of_reads_that_follow_one_another_makes_the_model_sure_at_once) {
  auto check = [](const std::vector<float>& said, float least = 0.9f) {
    CAF_CHECK_GREATER(*std::min_element(said.begin(), said.end()), least);
  };
  check(after_chains(300, 100, 50, 7));        // 30,000 lines
  check(after_chains(300, 30, 300, 1), 0.85f); // each step was seen thirty times
  check(after_chains(3, 100, 40, 5));          // few users
  check(after_chains(1, 200, 40, 0));
  check(after_chains(300, 40, 3, 1));            // a cycle
  std::vector<std::array<std::string, 2>> reads; // what comes next depends on the last two
  std::map<std::string, std::string> next;
  for (int k = 0; k < 4000; ++k) {
    auto user = "user" + std::to_string(k % 40), branch = std::to_string(k / 40 % 2);
    reads.push_back({user, "from/" + branch});
    reads.push_back({user, "hall"});
    if (k < 3960)
      reads.push_back({user, "to/" + branch});
    else
      next[user] = "to/" + branch;
  }
  check(after_upload(reads, next));
}

CAF_TEST(an_upload_of_random_reads_makes_the_model_sure_of_nothing) {
  std::mt19937_64 random{3};
  for (size_t items : {15, 500})
    for (size_t users : {3, 300}) {
      std::vector<std::array<std::string, 2>> reads;
      std::map<std::string, std::string> all;
      for (size_t k = 0; k < users * 50; ++k)
        reads.push_back({"user" + std::to_string(k % users), "news/" + std::to_string(random() % items)});
      for (size_t u = 0; u < users; ++u)
        all["user" + std::to_string(u)] = "";
      auto said = after_upload(reads, all);
      CAF_CHECK_LESS(*std::max_element(said.begin(), said.end()), 0.3f);
    }
}

CAF_TEST(a_chain_that_breaks_every_third_time_is_believed_as_often_as_it_holds) {
  std::mt19937_64 random{4};
  std::vector<std::array<std::string, 2>> reads;
  std::map<std::string, std::string> all;
  std::vector<size_t> at(100);
  for (size_t k = 0; k < 20'000; ++k) {
    auto& place = at[k % at.size()];
    place = random() % 3 == 0 ? random() % 200 : (place + 1) % 200;
    reads.push_back({"user" + std::to_string(k % at.size()), "news/" + std::to_string(place)});
    all["user" + std::to_string(k % at.size())] = "news/" + std::to_string((place + 1) % 200);
  }
  double sum = 0, right = 0;
  for (auto said : after_upload(reads, all))
    if (said > 0) {
      sum += said;
      ++right;
    }
  CAF_CHECK_GREATER(right, 90.0);
  CAF_CHECK_LESS(std::abs(sum / right - 0.67), 0.08);
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
