#include "actors/region/audit.hpp"

#include "runtime/base/log.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon {

act act_of(const put_policy& request) {
  auto what = std::string{name(request.scope)};
  if (!request.name.empty())
    what += " " + request.name;
  return {request.text.empty() ? "delete-policy" : "set-policy", std::move(what)};
}

act act_of(const remove_node& request) {
  return {"remove-node", request.node + (request.force ? ", by force" : "")};
}

act act_of(const forget_user& request) {
  return {"forget-user", request.user};
}

act act_of(const train_piece&) {
  return {"train", "an upload"};
}

act act_of(const put_token& request) {
  const auto& token = request.token;
  return {"create-token", fmt::format("{} with the role {}{}{}", token.name, name(token.may),
                                      token.types.empty() ? "" : " for ", fmt::join(token.types, ", "))};
}

act act_of(const revoke_token& request) {
  return {"revoke-token", request.name};
}

void audit(const act& done, const asker& by) {
  log::info("audit", done.event, {{"who", by.who}, {"from", by.from}, {"what", done.what}});
}

} // namespace gnomon
