// What a replica remembers of requests whose versions were replaced, so that they are not done again.
#include "actors/shadow/replica.hpp"

#include <algorithm>

namespace gnomon {

std::vector<past_request> replica::requests_of(const version_set& versions) {
  std::vector<past_request> result;
  for (const auto& s : versions.siblings)
    if (!s.request_id.empty())
      result.push_back({s.request_id, s.id, timestamp{duration{s.stamp.millis}}});
  return result;
}

std::optional<dot> replica::repeated(const write_item& request, timestamp now) const {
  if (request.request_id.empty())
    return std::nullopt;
  if (auto here = record_.versions.find_request(request.request_id))
    return here->id;
  for (const auto& past : record_.requests)
    if (past.id == request.request_id && past.at + request_memory > now)
      return past.made;
  return std::nullopt;
}

/// Notes those whose versions are not here any more. The newest stay: the outcome does not depend on the order of
/// merges.
void replica::remember(const std::vector<past_request>& requests) {
  auto& all = record_.requests;
  auto size = all.size();
  for (const auto& request : requests)
    if (!record_.versions.find(request.made) && std::find(all.begin(), all.end(), request) == all.end())
      all.push_back(request);
  if (all.size() == size)
    return;
  dirty_ = true;
  auto order = [](const past_request& r) { return std::tie(r.at, r.made); };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
  if (all.size() > max_past_requests)
    all.erase(all.begin(), all.end() - max_past_requests);
}

void replica::forget_requests(timestamp now) {
  std::erase_if(record_.requests, [&](const past_request& past) { return past.at + request_memory <= now; });
}

} // namespace gnomon
