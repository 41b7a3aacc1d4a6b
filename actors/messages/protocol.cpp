#include "actors/messages/protocol.hpp"

namespace gnomon {

void register_messages(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::gnomon_public>();
  config.add_message_types<caf::id_block::gnomon>();
  // CAF's own renderer takes only the code; ours gives the sentence as well.
  config.add_error_category(caf::detail::error_factory<ec>::category,
                            [](uint8_t code, caf::atom_value, const caf::message& context) {
                              auto text = to_string(static_cast<ec>(code));
                              if (context.match_elements<std::string>())
                                text += ": " + context.get_as<std::string>(0);
                              return text;
                            });
}

} // namespace gnomon
