#pragma once

#include <string>
#include <vector>

#include "clients/cpp/client_result.h"
#include "facegate/v1/gallery_service.pb.h"

namespace facegate::cli {

// Labels and update_mask of the request for what was typed: each of `changes` is KEY=VALUE, which
// sets a label, or KEY-, which removes it. With `replace` all labels that are not among them go;
// then KEY- makes no sense. Fails for anything else, for nothing to do, and for a key that comes
// twice. Whether keys and values are good is for the server to say.
ClientResult<v1::UpdateIdentityRequest> ParseLabelChange(const std::vector<std::string>& changes,
                                                         bool replace);

}  // namespace facegate::cli
