#define CAF_SUITE versions
#include "storage/versions.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace gnomon;

namespace {

/// Random replicas of one item that write, with contexts of reads or of earlier writes, old or empty, and merge; with
/// the outcome that theory predicts: a version lives until some write's context covers it.
class history {
public:
  explicit history(unsigned seed) : random_(seed), replicas_(2 + pick(4)), contexts_(1) {
    for (int step = 0; step < 30; ++step)
      pick(3) == 0 ? merge() : write();
  }

  size_t pick(size_t n) {
    return random_() % n;
  }

  /// Every state that any replica ever had, in a new order with some of them twice, merged into one.
  version_set merge_all() {
    std::vector<size_t> order;
    for (size_t i = 0; i < states_.size(); ++i)
      order.insert(order.end(), 1 + pick(2), i);
    std::shuffle(order.begin(), order.end(), random_);
    version_set result;
    for (auto i : order)
      result.sync(states_[i]);
    return result;
  }

  std::set<dot> predicted() const {
    auto result = written_;
    std::erase_if(result, [this](const dot& d) {
      return std::any_of(contexts_.begin(), contexts_.end(), [&](const version_vector& c) { return c.covers(d); });
    });
    return result;
  }

  const version_set& any_state() {
    return states_[pick(states_.size())];
  }

private:
  void write() {
    auto r = pick(replicas_.size());
    auto seen = states_.empty() || pick(4) == 0 ? version_vector{} : any_state().context;
    if (!receipts_.empty() && pick(3) == 0)
      seen = receipts_[pick(receipts_.size())];
    contexts_.push_back(seen);
    sibling next;
    next.stamp = {static_cast<int64_t>(pick(10)), 0};
    next.request_id = pick(3) == 0 ? "request " + std::to_string(pick(5)) : "";
    auto made = replicas_[r].write(seen, {7, r + 1}, std::move(next));
    written_.insert(made);
    seen.add(made); // what the writer knows now, and not what others wrote at the same replica
    receipts_.push_back(seen);
    states_.push_back(replicas_[r]);
  }

  void merge() {
    auto& to = replicas_[pick(replicas_.size())];
    to.sync(replicas_[pick(replicas_.size())]);
    states_.push_back(to);
  }

  std::mt19937 random_;
  std::vector<version_set> replicas_;
  std::vector<version_set> states_;
  std::vector<version_vector> contexts_;
  std::vector<version_vector> receipts_;
  std::set<dot> written_;
};

std::set<dot> dots(const version_set& set) {
  std::set<dot> result;
  for (const auto& s : set.siblings)
    result.insert(s.id);
  return result;
}

version_set joined(version_set a, const version_set& b) {
  a.sync(b);
  return a;
}

sibling named(std::string request_id) {
  sibling s;
  s.request_id = std::move(request_id);
  return s;
}

constexpr holding_id here{11, 1};
constexpr holding_id there{22, 1};

template <class F>
void for_each_history(F f) {
  for (unsigned seed = 0; seed < 60; ++seed)
    f(history{seed});
}

} // namespace

CAF_TEST(merges_in_any_order_and_any_repetition_give_the_same_set) {
  for_each_history([](history h) {
    auto first = h.merge_all();
    for (int i = 0; i < 2; ++i)
      CAF_REQUIRE(h.merge_all() == first);
    CAF_REQUIRE(std::is_sorted(first.siblings.begin(), first.siblings.end(),
                               [](const sibling& a, const sibling& b) { return a.id < b.id; }));
  });
}

CAF_TEST(a_version_lives_exactly_until_a_write_that_saw_it) {
  for_each_history([](history h) { CAF_REQUIRE(dots(h.merge_all()) == h.predicted()); });
}

CAF_TEST(sync_is_commutative_associative_and_idempotent) {
  for_each_history([](history h) {
    auto a = h.any_state(), b = h.any_state(), c = h.any_state();
    CAF_REQUIRE(joined(a, b) == joined(b, a));
    CAF_REQUIRE(joined(joined(a, b), c) == joined(a, joined(b, c)));
    CAF_REQUIRE(joined(a, a) == a);
    CAF_REQUIRE(!a.sync(a));
    auto before = a;
    CAF_REQUIRE_EQUAL(a.sync(b), a != before);
  });
}

CAF_TEST(a_replaced_version_never_comes_back) {
  version_set item;
  auto old = item;
  item.write({}, here, {});
  old = item;
  item.write(item.context, here, {});
  CAF_CHECK_EQUAL(item.siblings.size(), 1u);
  CAF_CHECK(!item.sync(old));
  CAF_CHECK_EQUAL(item.siblings.front().id.counter, 2u);
  CAF_CHECK(old.sync(item));
  CAF_CHECK(old == item);
}

CAF_TEST(writes_that_did_not_see_each_other_are_both_kept) {
  version_set item;
  item.write({}, here, {});
  item.write({}, here, {});
  version_set other;
  other.write({}, there, {});
  item.sync(other);
  CAF_CHECK_EQUAL(item.siblings.size(), 3u);
  item.write(item.context, there, {});
  CAF_CHECK_EQUAL(item.siblings.size(), 1u);
}

CAF_TEST(a_write_repeated_at_one_region_is_applied_once) {
  version_set item;
  auto first = item.write({}, here, named("r"));
  auto once = item;
  CAF_CHECK(item.write({}, here, named("r")) == first);
  CAF_CHECK(item == once);
  CAF_CHECK(item.find_request("r") == &item.siblings.front());
  CAF_CHECK(item.find_request("") == nullptr);
  CAF_CHECK(!(item.write({}, here, named("")) == first));
  CAF_CHECK(!(item.write(item.context, here, named("r")) == first));
}

CAF_TEST(a_write_repeated_at_two_regions_is_shown_once_and_replaced_once) {
  version_set a, b;
  auto first = a.write({}, here, named("r"));
  b.write({}, there, named("r"));
  auto both = joined(a, b);
  CAF_CHECK_EQUAL(both.distinct().siblings.size(), 1u);
  CAF_CHECK(both.distinct().siblings.front().id == first);
  CAF_CHECK(both.distinct().context == both.context);
  CAF_CHECK_EQUAL(both.etag(), a.etag());
  CAF_CHECK(both.distinct() == joined(b, a).distinct());
  both.write(both.distinct().context, here, {});
  CAF_CHECK_EQUAL(both.siblings.size(), 1u);
}

CAF_TEST(a_context_that_claims_writes_we_never_made_is_noticed_and_loses_nothing) {
  version_set item;
  item.write({}, here, {});
  CAF_CHECK(item.vouches_for(item.context, here));
  version_vector forged;
  forged.add({here, 9});
  forged.add({there, 9});
  CAF_CHECK(!item.vouches_for(forged, here));
  auto next = item.write(forged, here, {});
  CAF_CHECK(!forged.covers(next));
}

CAF_TEST(the_etag_depends_on_the_sorted_dots_alone) {
  version_set a, b;
  a.write({}, here, {});
  b.write({}, there, {});
  CAF_CHECK_EQUAL(joined(a, b).etag(), joined(b, a).etag());
  CAF_CHECK_NOT_EQUAL(a.etag(), b.etag());
  CAF_CHECK_NOT_EQUAL(a.etag(), joined(a, b).etag());
  auto renamed = a;
  renamed.siblings.front().content_type = "text/html";
  renamed.context.add({there, 5});
  CAF_CHECK_EQUAL(renamed.etag(), a.etag());
  CAF_CHECK_EQUAL(a.etag().size(), 18u);
  CAF_CHECK(a.etag().front() == '"' && a.etag().back() == '"');
}

CAF_TEST(a_writer_knows_its_own_write_and_not_those_before_it) {
  version_set item;
  auto first = item.write({}, here, {});
  auto second = item.write({}, here, {});
  version_vector receipt;
  receipt.add(second);
  CAF_CHECK(receipt.covers(second) && !receipt.covers(first));
  CAF_CHECK(!receipt.covers(item.context) && item.context.covers(receipt));
  CAF_CHECK_EQUAL(receipt.latest(here), 2u);
  CAF_CHECK_EQUAL(receipt.at(here), 0u);
  auto third = item.write(receipt, here, {});
  CAF_CHECK(dots(item) == std::set<dot>({first, third}));
  version_set elsewhere;
  elsewhere.write(receipt, there, {});
  CAF_CHECK(!elsewhere.context.covers(first));
  elsewhere.sync(item);
  CAF_CHECK_EQUAL(elsewhere.siblings.size(), 3u);
}

CAF_TEST(dots_that_close_a_gap_become_part_of_the_vector) {
  version_vector v, whole;
  for (uint64_t counter : {5u, 3u, 2u, 7u})
    v.add({here, counter});
  CAF_CHECK_EQUAL(v.size(), 4u);
  v.add({here, 1});
  CAF_CHECK_EQUAL(v.at(here), 3u);
  v.add({here, 4});
  CAF_CHECK_EQUAL(v.at(here), 5u);
  CAF_CHECK_EQUAL(v.size(), 2u);
  for (uint64_t counter = 1; counter <= 7; ++counter)
    whole.add({here, counter});
  CAF_CHECK(whole.covers(v) && !v.covers(whole));
  v.merge(whole);
  CAF_CHECK(v == whole);
  CAF_CHECK_EQUAL(v.size(), 1u);
}

CAF_TEST(versions_that_end_leave_nothing_behind_that_could_return) {
  auto noon = timestamp{std::chrono::hours{12}};
  version_set item, late;
  item.write({}, here, {});
  late = item; // has not heard of what follows
  sibling brief;
  brief.expires = noon;
  brief.bytes = 5;
  item.write(item.context, here, brief);
  auto alive = item;
  CAF_CHECK(!item.end_expired(noon - std::chrono::seconds{1}));
  CAF_CHECK(item.end_expired(noon) && item.deleted());
  CAF_CHECK(!item.end_expired(noon));
  CAF_CHECK(joined(item, late) == item);
  CAF_CHECK(joined(item, alive) == item);
  CAF_CHECK(joined(alive, item) == item);
  CAF_CHECK(!item.sync(alive));
  CAF_CHECK(alive.sync(item));
  sibling lasting;
  auto kept = item.write({}, there, lasting);
  item.siblings.front().deleted = false;
  CAF_CHECK(item.end_expired(noon));
  CAF_CHECK(dots(item) == std::set<dot>{kept});
  CAF_CHECK(dots(joined(item, alive)) == std::set<dot>{kept});
}

CAF_TEST(the_last_writer_wins_by_stamp_then_by_dot) {
  version_set item;
  sibling late, early;
  late.stamp = {20, 0};
  early.stamp = {10, 5};
  auto winner = item.write({}, here, late);
  item.write({}, there, early);
  auto seen = item.context;
  item.resolve_last_writer();
  CAF_REQUIRE_EQUAL(item.siblings.size(), 1u);
  CAF_CHECK(item.siblings.front().id == winner);
  CAF_CHECK(item.context == seen);
  auto tie = item.write({}, there, late);
  item.resolve_last_writer();
  CAF_CHECK(item.siblings.front().id == tie);
}

CAF_TEST(an_item_is_deleted_when_all_its_versions_are_tombstones) {
  version_set item;
  CAF_CHECK(!item.deleted());
  sibling tombstone;
  tombstone.deleted = true;
  item.write({}, here, tombstone);
  CAF_CHECK(item.deleted());
  item.write({}, there, {});
  CAF_CHECK(!item.deleted());
}

CAF_TEST(contexts_survive_their_way_through_a_header) {
  CAF_CHECK_EQUAL(version_vector{}.to_text(), "");
  CAF_CHECK(version_vector::from_text("")->empty());
  std::mt19937_64 random{1};
  for (size_t n = 1; n <= max_context_entries; ++n) {
    version_vector v;
    for (size_t i = 0; i < n; ++i)
      v.add({{random(), random() >> random() % 64}, i % 3 == 0 ? 1 : 2 + (random() >> (1 + random() % 62))});
    auto text = v.to_text();
    CAF_CHECK(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == text.npos);
    auto read = version_vector::from_text(text);
    CAF_REQUIRE(read);
    CAF_CHECK(*read == v);
  }
}

CAF_TEST(a_context_that_was_not_given_out_is_refused) {
  version_vector v;
  v.add({here, 3});
  v.add({there, 300});
  auto good = v.to_text();
  auto refused = [](const std::string& text) {
    auto read = version_vector::from_text(text);
    return !read && code_of(read.error()) == ec::invalid_argument && !sentence_of(read.error()).empty();
  };
  for (const auto& bad : {std::string{"x"}, std::string{"AAAA"}, std::string{"not base64!"}, std::string{"%00"},
                          good + "A", good + "=", good.substr(1), good.substr(0, good.size() - 1), " " + good})
    CAF_CHECK(refused(bad));
  for (size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    CAF_CHECK(refused(bad));
  }
  std::mt19937 random{2};
  for (int i = 0; i < 2000; ++i) {
    std::string noise(random() % 60 + 1, 'A');
    for (auto& c : noise)
      c = static_cast<char>(random());
    CAF_CHECK(refused(noise));
  }
}

CAF_TEST(a_context_with_more_than_64_entries_is_too_large) {
  version_vector v;
  for (uint64_t i = 0; i <= max_context_entries; ++i)
    v.add({{i + 1, 1}, 1});
  CAF_CHECK_EQUAL(code_of(version_vector::from_text(v.to_text()).error()), ec::too_large);
  CAF_CHECK_EQUAL(code_of(version_vector::from_text(std::string(10'000, 'A')).error()), ec::too_large);
}
