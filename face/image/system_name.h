#pragma once

#include <string_view>

// Tells which names in a folder are not people's. Depends on nothing, so that a client and the
// trainer ask the same table.
namespace facegate {

// Names of files and folders that people did not choose, in upper or lower case: hidden ones
// (.DS_Store, .ipynb_checkpoints) and those that systems, network drives, programs and archives
// leave behind (Thumbs.db, desktop.ini, @eaDir, __MACOSX and their like). Thread-safe.
bool IsSystemName(std::string_view name);

}  // namespace facegate
