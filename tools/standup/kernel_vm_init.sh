#!/bin/busybox sh
# First process of the machine of tools/kernel-vm: it makes this machine's files, with a layer of
# memory over them, the root directory, runs /command there and gives its status to the second port.
bin() { /bin/busybox "$@"; }
bin mkdir -p /dev /proc /sys /below /above /root
bin mount -t devtmpfs dev /dev; bin mount -t proc proc /proc; bin mount -t sysfs sys /sys
exec </dev/null >/dev/ttyS0 2>&1
bin stty -F /dev/ttyS0 -opost
for module in virtio_pci virtiofs overlay; do bin modprobe $module; done
bin mount -t virtiofs -o ro machine /below
bin mount -t tmpfs tmpfs /above
bin mkdir /above/files /above/work
bin mount -t overlay -o lowerdir=/below,upperdir=/above/files,workdir=/above/work overlay /root
for place in dev proc sys; do bin mount -o move /$place /root/$place; done
for place in run tmp dev/shm dev/pts; do
  bin mkdir -p /root/$place
  kind=tmpfs; [ $place != dev/pts ] || kind=devpts
  bin mount -t $kind $kind /root/$place
done
bin chmod 1777 /root/tmp
bin cp /bin/busybox /command /root/run/
bin cp /bin/busybox /root/run/modprobe
bin mkdir -p /root/lib/modules
for place in /lib/modules /root/lib/modules; do bin mount -o bind "/root$(bin cat /modules)" $place; done
# The kernel itself loads modules too, as seen from here: the command's root is no root of its.
echo /root/run/modprobe > /root/proc/sys/kernel/modprobe
bin chroot /root /run/busybox ip link set lo up
bin chroot /root /bin/sh /run/command
echo $? > /root/dev/ttyS1
bin poweroff -f
