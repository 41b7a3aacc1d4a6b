#define CAF_SUITE upload
#include "actors/prediction/trainer.hpp"
#include "tests/support/cluster_fixture.hpp"
#include "tests/support/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace gnomon;
using namespace gnomon::test;

// What an upload teaches at once, whatever becomes of networks: fewer than 50 users are too few to train any.

namespace {

constexpr int64_t first_read = 1'500'000'000;

struct fixture : cluster_fixture {
  temporary_directory directory;

  fixture() {
    predicts = true;
    names = {"a", "b"};
    config.store_path = directory.path();
    for (const auto& name : names)
      std::filesystem::create_directories(directory / name);
  }

  static std::string line(const std::string& user, const std::string& item, int64_t time) {
    return R"({"user_id": ")" + user + R"(", "data_id": ")" + item + R"(", "timestamp": )" + std::to_string(time)
           + "}\n";
  }
  /// Users who each read news/K, then news/K+1, and so on.
  static std::string chains(size_t users = 30, size_t steps = 40, size_t items = 60) {
    std::string lines;
    for (size_t step = 0; step < steps; ++step)
      for (size_t u = 0; u < users; ++u)
        lines += line("user" + std::to_string(u), "news/" + std::to_string((u + step) % items),
                      first_read + static_cast<int64_t>(step * 60 + u));
    return lines;
  }
  training_status upload(const std::string& node, const std::string& text) {
    auto job = unbox(ask<training_status>(node, train_piece{0, 0, blob{text}, true})).job;
    for (int k = 0; k < 3; ++k)
      pass_time(1s);
    return unbox(ask<training_status>(node, get_training{job}));
  }
  expected<prediction> predict(const std::string& node, const std::string& user, bool repeats = false) {
    return ask<prediction>(node, get_prediction{user, 20, repeats});
  }
  void check_sure(const std::string& node, const std::string& user, const std::string& next) {
    auto found = unbox(predict(node, user));
    CAF_REQUIRE(!found.items.empty());
    CAF_CHECK_EQUAL(found.items[0].id, next);
    CAF_CHECK_GREATER(double{found.items[0].confidence}, 0.9);
    for (size_t k = 1; k < found.items.size(); ++k)
      CAF_CHECK(double{found.items[k - 1].confidence} >= double{found.items[k].confidence});
  }
  void read(const std::string& node, const std::string& user, const std::string& id) {
    self->send(nodes[node].context->handles.get()->predictor,
               access_batch{{{.id = id, .user = user, .at = time->now()}}});
    sched.run();
    time->advance(5s);
  }
  std::string file_of(const std::string& node) {
    return directory / node + "/learned";
  }
  std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream{file}.rdbuf();
    return text.str();
  }
  /// With time for what is written now and then.
  void wait_for_file() {
    sched.clock().current_time += 2min;
    pass_time(1s);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(uploads, fixture)

CAF_TEST(an_upload_teaches_counters_and_histories_apart_from_the_networks) {
  begin();
  auto said = upload("a", chains());
  CAF_CHECK_EQUAL(said.learned, 1200u);
  CAF_CHECK_EQUAL(said.withheld, 0u);
  CAF_CHECK(said.phase == training_phase::kept);
  CAF_CHECK(said.reason.find("50 users") != std::string::npos);
  check_sure("a", "user7", "news/47");
  check_sure("a", "user29", "news/9");
  check_sure("b", "user7", "news/47"); // which asks a
}

CAF_TEST(what_was_just_read_is_left_out_unless_it_is_asked_for) {
  begin();
  upload("a", chains(4, 60, 6)); // everything is among the last ten reads
  auto found = unbox(predict("a", "user1"));
  CAF_CHECK(found.items.empty());
  CAF_CHECK_EQUAL(found.repeats_left_out, 6u);
  found = unbox(predict("a", "user1", true));
  CAF_REQUIRE_EQUAL(found.items.size(), 6u);
  CAF_CHECK_EQUAL(found.items[0].id, "news/1");
  CAF_CHECK_GREATER(double{found.items[0].confidence}, 0.9);
  CAF_CHECK_EQUAL(found.repeats_left_out, 0u);
}

CAF_TEST(live_reads_go_on_where_an_upload_ends) {
  begin();
  upload("a", chains());
  for (int k = 20; k < 26; ++k)
    read("a", "newcomer", "news/" + std::to_string(k));
  check_sure("a", "newcomer", "news/26");
  for (auto& item : unbox(predict("a", "newcomer")).items)
    for (int k = 20; k < 26; ++k)
      CAF_CHECK_NOT_EQUAL(item.id, "news/" + std::to_string(k));
}

CAF_TEST(an_upload_of_older_reads_leaves_what_a_user_read_last) {
  begin();
  for (int k = 0; k < 3; ++k)
    for (auto user : {"user0", "other"})
      read("a", user, "live/" + std::to_string(k));
  read("a", "other", "live/3");
  upload("a", chains());
  auto found = unbox(predict("a", "user0"));
  CAF_REQUIRE(!found.items.empty());
  CAF_CHECK_EQUAL(found.items[0].id, "live/3");
}

CAF_TEST(what_a_policy_keeps_from_being_learned_is_withheld) {
  begin();
  CAF_REQUIRE(ask<policy_list>("a", put_policy{policy_scope::user, "user7", "{\"learn\": false}"}));
  auto said = upload("a", chains());
  CAF_CHECK_EQUAL(said.learned, 1160u);
  CAF_CHECK_EQUAL(said.withheld, 40u);
  auto found = predict("a", "user7");
  CAF_CHECK_EQUAL(code_of(found.error()), ec::not_found);
  CAF_CHECK(sentence_of(found.error()).find("learn") != std::string::npos);
  check_sure("a", "user8", "news/48");
}

CAF_TEST(an_upload_that_may_not_be_learned_from_at_all_is_refused_with_the_reason) {
  begin();
  CAF_REQUIRE(ask<policy_list>("a", put_policy{policy_scope::type, "news", "{\"learn\": false}"}));
  auto said = ask<training_status>("a", train_piece{0, 0, blob{chains()}, true});
  CAF_REQUIRE(!said);
  CAF_CHECK(sentence_of(said.error()).find("learn") != std::string::npos);
}

CAF_TEST(a_forgotten_user_does_not_come_back_by_an_upload_but_by_later_reads) {
  begin();
  upload("a", chains());
  CAF_REQUIRE(ask<forget_receipt>("b", forget_user{"user7"}));
  auto said = upload("a", chains());
  CAF_CHECK_EQUAL(said.withheld, 40u);
  auto found = predict("a", "user7");
  CAF_CHECK_EQUAL(code_of(found.error()), ec::not_found);
  CAF_CHECK(sentence_of(found.error()).find("never seen") != std::string::npos);
  read("a", "user7", "news/3");
  CAF_CHECK(predict("a", "user7"));
}

CAF_TEST(a_user_nobody_has_seen_and_prediction_that_is_off_are_told_apart) {
  begin();
  auto nobody = predict("a", "nobody");
  CAF_CHECK_EQUAL(code_of(nobody.error()), ec::not_found);
  CAF_CHECK(sentence_of(nobody.error()).find("never seen") != std::string::npos);
  network->separate("a", "b");
  CAF_CHECK_EQUAL(code_of(predict("a", "nobody").error()), ec::unavailable); // b may know the user
  network->heal();
  nodes["b"].stop();
  sched.run();
  nodes["b"].database->reopen();
  config.predict = false;
  boot("b");
  connect(nodes, sys, network, names);
  upload("a", chains());
  auto found = predict("b", "user7"); // which does not predict, and asks a
  CAF_REQUIRE(found);
  CAF_CHECK_EQUAL(found->served_by, "a");
  nobody = predict("a", "nobody");
  CAF_CHECK_EQUAL(code_of(nobody.error()), ec::not_found);
  CAF_CHECK(sentence_of(nobody.error()).find("prediction is off in region-b") != std::string::npos);
  CAF_CHECK(ask<forget_receipt>("a", forget_user{"user7"})); // b has nothing to forget
}

CAF_TEST(what_was_learned_survives_a_restart) {
  begin();
  upload("a", chains());
  restart("a");
  check_sure("a", "user7", "news/47");
  for (int k = 20; k < 26; ++k)
    read("a", "newcomer", "news/" + std::to_string(k));
  wait_for_file();
  restart("a");
  check_sure("a", "newcomer", "news/26");
}

CAF_TEST(what_was_learned_is_written_when_the_node_is_asked_to_stop) {
  begin();
  read("a", "reader", "news/1");
  caf::anon_send_exit(nodes["a"].context->handles.get()->predictor, caf::exit_reason::user_shutdown);
  sched.run();
  CAF_CHECK(text_of(file_of("a")).find("reader") != std::string::npos);
}

CAF_TEST(a_forgotten_user_is_gone_from_the_file_when_that_is_confirmed) {
  begin();
  upload("a", chains());
  CAF_REQUIRE(text_of(file_of("a")).find("user7") != std::string::npos);
  CAF_REQUIRE(ask<forget_receipt>("b", forget_user{"user7"}));
  CAF_CHECK(text_of(file_of("a")).find("user7") == std::string::npos);
  CAF_CHECK(text_of(file_of("a")).find("user8") != std::string::npos);
  restart("a");
  CAF_CHECK_EQUAL(code_of(predict("a", "user7").error()), ec::not_found);
  check_sure("a", "user8", "news/48");
  CAF_CHECK_EQUAL(upload("a", chains()).withheld, 40u); // also after the restart
}

CAF_TEST(where_the_file_cannot_be_written_anew_it_is_removed_before_a_user_counts_as_forgotten) {
  begin();
  upload("a", chains());
  std::filesystem::create_directory(file_of("a") + ".new"); // nothing can be written there
  CAF_REQUIRE(ask<forget_receipt>("b", forget_user{"user7"}));
  CAF_CHECK(!std::filesystem::exists(file_of("a")));
  check_sure("a", "user8", "news/48");
}

CAF_TEST(a_damaged_file_is_dropped_and_learning_begins_anew) {
  begin();
  upload("a", chains());
  const auto file = text_of(file_of("a"));
  CAF_REQUIRE(file.size() > 10'000);
  auto corrupted = file;
  corrupted[file.size() / 2] = static_cast<char>(corrupted[file.size() / 2] ^ 1);
  for (const auto& damaged : {corrupted, file.substr(0, file.size() / 2), std::string{}, std::string(5000, 'x')}) {
    std::ofstream{file_of("a"), std::ios::trunc} << damaged;
    restart("a");
    CAF_CHECK_EQUAL(code_of(predict("a", "user7").error()), ec::not_found);
    upload("a", chains());
    check_sure("a", "user7", "news/47");
  }
}

CAF_TEST(many_small_batches_are_taken_together_and_none_is_skipped) {
  begin();
  auto& context = *nodes["a"].context;
  for (int k = 0; k < 1000; ++k)
    self->send(context.handles.get()->predictor,
               access_batch{{{"news/" + std::to_string(k % 50), "user" + std::to_string(k % 9), time->now(), 1,
                              k % 3 == 0, false}}});
  sched.run();
  CAF_CHECK_EQUAL(context.predicting.accesses.load(), 1000u);
  CAF_CHECK_EQUAL(context.predicting.skipped.load(), 0u);
  CAF_CHECK_GREATER(context.predicting.predictions.load(), 600u);
  for (int k = 0; k < 80'000; ++k) // more than anybody could keep up with: what is left out is counted
    self->send(context.handles.get()->predictor, access_batch{{{"news/1", "user1", time->now(), 1, false, false}}});
  sched.run();
  CAF_CHECK_LESS(context.predicting.accesses.load(), 81'000u);
  CAF_CHECK(context.predicting.skipped.load() >= 81'000u - context.predicting.accesses.load());
}

CAF_TEST_FIXTURE_SCOPE_END()
