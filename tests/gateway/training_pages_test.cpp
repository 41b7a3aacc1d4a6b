#define CAF_SUITE training_pages
#include "api_fixture.hpp"

#include <caf/test/dsl.hpp>

using namespace gnomon;
using namespace gnomon::test;

namespace {

training_status finished() {
  training_status status;
  status.job = 1763832000123;
  status.phase = training_phase::adopted;
  status.lines = 12;
  status.accesses = 10;
  status.bad_lines = 2;
  status.complaints = {{3, "user_id is missing"}};
  status.withheld = 3;
  status.learned = 7;
  status.progress = 1.0;
  status.users = {0.5, 0.25, 0.375, 100};
  status.running_users = {0.25, 0.125, 0.375, 100};
  status.better_users = true;
  status.model = status.job;
  return status;
}

} // namespace

CAF_TEST(a_small_upload_is_one_piece_and_its_answer_says_where_to_look) {
  auto asked = ask_with_body("POST", "/prefetch/train", "{}");
  auto piece = message_of<train_piece>(asked);
  CAF_CHECK_EQUAL(piece.text.view(), "{}");
  CAF_CHECK_EQUAL(piece.job, 0u);
  CAF_CHECK_EQUAL(piece.number, 0u);
  CAF_CHECK(piece.last);
  auto answer = reply_to(asked, finished());
  CAF_CHECK_EQUAL(answer.status, 202);
  CAF_REQUIRE(answer.field("Location") != nullptr);
  CAF_CHECK_EQUAL(*answer.field("Location"), "/prefetch/train/1763832000123");
}

CAF_TEST(a_job_is_shown_with_its_quality_beside_the_running_models) {
  auto asked = ask("GET", "/prefetch/train/1763832000123");
  CAF_CHECK_EQUAL(message_of<get_training>(asked).job, 1763832000123u);
  auto document = nlohmann::json::parse(reply_to(asked, finished()).body.view());
  CAF_CHECK_EQUAL(document["job"], "1763832000123");
  CAF_CHECK_EQUAL(document["state"], "adopted");
  CAF_CHECK_EQUAL(document["bad_lines"], 2);
  CAF_CHECK_EQUAL(document["withheld"], 3);
  CAF_CHECK_EQUAL(document["counters"]["learned"], 7);
  CAF_CHECK_EQUAL(document["complaints"][0]["line"], 3);
  CAF_CHECK_EQUAL(document["users"]["quality"]["recall_20"], 0.5);
  CAF_CHECK_EQUAL(document["users"]["running"]["recall_20"], 0.25);
  CAF_CHECK_EQUAL(document["users"]["better"], true);
  CAF_CHECK(document["demand"]["quality"].is_null());
}

CAF_TEST(what_is_no_job_is_refused) {
  for (auto job : {"", "x", "0", "-1", "7x", "99999999999999999999"})
    CAF_CHECK_EQUAL(refusal_of(ask("GET", "/prefetch/train/" + std::string{job})).status, 400);
  CAF_CHECK_EQUAL(refusal_of(ask("DELETE", "/prefetch/train")).status, 405);
  CAF_CHECK_EQUAL(refusal_of(ask("DELETE", "/prefetch/train/7")).status, 405);
  auto busy = make_error(ec::overloaded, "training job 7 is under way");
  CAF_CHECK_EQUAL(reply_to(ask("GET", "/prefetch/train/8"), busy).status, 503);
}

CAF_TEST(the_last_jobs_are_listed) {
  auto asked = ask("GET", "/prefetch/train");
  message_of<list_trainings>(asked);
  auto older = finished();
  older.job = 7;
  auto document = nlohmann::json::parse(reply_to(asked, training_list{{finished(), older}}).body.view());
  CAF_REQUIRE_EQUAL(document["jobs"].size(), 2u);
  CAF_CHECK_EQUAL(document["jobs"][0]["job"], "1763832000123");
  CAF_CHECK_EQUAL(document["jobs"][0]["state"], "adopted");
  CAF_CHECK_EQUAL(document["jobs"][1]["job"], "7");
}
