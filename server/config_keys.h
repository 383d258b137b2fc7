#pragma once

#include "face/base/key_table.h"
#include "server/config.h"

namespace facegate {

// Lists all keys of the server's configuration, in the order of deploy/server.yaml, for the values
// of `config`. A key is named like its member.
KeyTable ConfigKeys(Config& config);

}  // namespace facegate
