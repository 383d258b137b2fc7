#include "face/image/system_name.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(SystemNameTest, KnowsHiddenNamesAndThoseThatSystemsAndProgramsLeave) {
  for (const char* name : {".DS_Store",
                           "._a.jpg",
                           ".ipynb_checkpoints",
                           "Thumbs.db",
                           "thumbs.DB",
                           "ehthumbs.db",
                           "desktop.ini",
                           "Picasa.ini",
                           "@eaDir",
                           "@__thumb",
                           "@tmp",
                           "#recycle",
                           "#snapshot",
                           "__MACOSX",
                           "Icon\r",
                           "$RECYCLE.BIN",
                           "System Volume Information",
                           "lost+found",
                           "Network Trash Folder",
                           "Temporary Items",
                           "__pycache__"}) {
    EXPECT_TRUE(IsSystemName(name)) << name;
  }
}

TEST(SystemNameTest, LeavesPeoplesNamesAlone) {
  for (const char* name : {"", "anna", "Thumbs.jpg", "my Thumbs.db", "Thumbs.db2", "Icon", "tmp",
                           "recycle", "a.DS_Store", "_anna"}) {
    EXPECT_FALSE(IsSystemName(name)) << name;
  }
}

}  // namespace
}  // namespace facegate
