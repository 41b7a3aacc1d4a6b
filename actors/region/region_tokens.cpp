// The tokens of a cluster: kept, added and revoked, and made equal with the peers'.
#include "actors/region/region.hpp"

#include "storage/archive.hpp"
#include "storage/keys.hpp"

namespace gnomon {

namespace {

constexpr frame_kind token_frame{'T', 1, "token"};

} // namespace

/// Comes before anything is served, so that nobody gets in without a token that is in force.
void region_state::read_tokens(std::function<void()> then) {
  auto range = keys::tokens();
  self_
      ->request(node_->handles.get()->stores.front(), node_->config.request_timeout,
                store_scan{range.first, range.last, UINT32_MAX, false})
      .then(
          [this, then](const store_entries& found) {
            std::vector<token_record> records;
            for (const auto& [key, value] : found.entries)
              if (auto record = decode_as<token_record>(token_frame, value.view()))
                records.push_back(std::move(*record));
            node_->tokens.update([&](token_table& table) {
              for (const auto& record : records)
                table.merge(record);
            });
            then();
          },
          [this](const caf::error& reason) { self_->quit(reason); });
}

token_list region_state::tokens() const {
  token_list list{node_->tokens.get()->in_force(wall_time())};
  for (auto& record : list.tokens)
    record.hash.clear();
  return list;
}

void region_state::add_token(const token_record& record, answer<token_list> reply) {
  if (auto why = why_no_token(record); !why.empty())
    return reply.fail(make_error(ec::invalid_argument, why));
  const auto table = node_->tokens.get();
  if (const auto* known = table->in_force(record.id, wall_time()); known && known->hash == record.hash)
    return reply.give({}); // the answer was lost, and it is sent again
  if (!table->named(record.name, wall_time()).empty())
    return reply.fail(make_error(ec::rejected, "there is a token of the name " + record.name
                                                   + "; choose another one, or revoke that first"));
  if (table->size() >= token_table::most)
    return reply.fail(make_error(ec::rejected, "the cluster knows 10,000 tokens, revoked ones included, and takes no "
                                               "more"));
  spread_tokens({record}, std::move(reply));
}

void region_state::revoke(const std::string& name, answer<token_list> reply) {
  auto ended = node_->tokens.get()->named(name, wall_time());
  if (ended.empty())
    return reply.fail(make_error(ec::not_found, "there is no token of the name " + name));
  for (auto& record : ended)
    record.revoked = true;
  spread_tokens(ended, std::move(reply));
}

/// In force here at once, and at the peers as soon as they hear of it, before the work that waits for a slow disk.
void region_state::spread_tokens(const std::vector<token_record>& news, answer<token_list> reply) {
  take_over(news);
  tell_peers({.entries = {}, .tokens = news}, traffic::client);
  save_tokens(news, [reply, news](const caf::error& problem) {
    if (problem)
      return reply.fail(problem);
    token_list list{news};
    for (auto& record : list.tokens)
      record.hash.clear();
    reply.give(std::move(list));
  });
}

/// Answers those that the sender does not know. What is news here may be news to a peer that the sender cannot reach.
std::vector<token_record> region_state::merge_tokens(const std::vector<token_record>& theirs) {
  auto news = take_over(theirs);
  if (!news.empty()) {
    tell_peers({.entries = {}, .tokens = news}, traffic::client);
    save_tokens(news, [](const caf::error&) {}); // the store says so in the log, and a peer tells of them again
  }
  return node_->tokens.get()->beyond(theirs);
}

/// Answers what was news.
std::vector<token_record> region_state::take_over(const std::vector<token_record>& records) {
  std::vector<token_record> news;
  if (records.empty())
    return news;
  node_->tokens.update([&](token_table& table) {
    news.clear();
    for (const auto& record : records)
      if (why_no_token(record).empty() && table.merge(record))
        news.push_back(record);
  });
  return news;
}

void region_state::save_tokens(const std::vector<token_record>& news, std::function<void(caf::error)> then) {
  store_batch batch;
  for (const auto& record : news)
    batch.puts.emplace_back(keys::token(record.id), blob{encode_as(token_frame, record)});
  self_->request(node_->handles.get()->stores.front(), node_->config.request_timeout, std::move(batch))
      .then([then](const store_receipt&) { then({}); }, [then](const caf::error& reason) { then(reason); });
}

} // namespace gnomon
