"""Keeps S3's objects in the temporary folder of this LocalStack.

By itself every LocalStack on a machine uses one fixed folder in /tmp, so that two of them share buckets of a name.
"""

import tempfile

from localstack.runtime import hooks


@hooks.on_infra_start()
def use_own_s3_folder():
    from localstack.services.s3.storage.ephemeral import EphemeralS3ObjectStore
    from localstack.utils.patch import patch

    @patch(EphemeralS3ObjectStore.__init__)
    def in_own_folder(original, store, _root_directory=None):
        original(store, tempfile.mkdtemp(prefix="s3-"))
